// The data folder on the file system: who owns it, what stands in it, and moves that a power cut cannot half do.
//
//   LOCK                   held by the process that uses the folder
//   db/                    the database
//   db.new/                a database being made; complete exactly if db/ is missing
//   db.work/               temporary files of a salvage
//   set-aside-20260131-235959/   a damaged or newer database, as it was found; never deleted by us
//
// Thread: the caller's. Errors: io, no_space, in_use, each with a sentence that says what to do.
#pragma once

#include <string>

#include "gateway/base/result.h"

namespace tidegate::store {

class StoreFolder {
 public:
  // Makes the folder if absent (mode 0750), checks that it is writable and takes its lock, which ends with the process,
  // however it ends.
  [[nodiscard]] static Result<StoreFolder> open(const std::string& path);
  StoreFolder(StoreFolder&& other) noexcept;
  StoreFolder& operator=(StoreFolder&&) = delete;
  ~StoreFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string database() const { return path_ + "/db"; }
  [[nodiscard]] std::string new_database() const { return path_ + "/db.new"; }
  [[nodiscard]] std::string work() const { return path_ + "/db.work"; }

  // Finishes or removes what an interrupted start left. True: there is a database.
  [[nodiscard]] Result<bool> tidy_up() const;
  // db/ to set-aside-..., if there is one; returns the new name, or nothing.
  [[nodiscard]] Result<std::string> set_database_aside() const;
  // db.new/ to db/.
  [[nodiscard]] Status install_new_database() const;

 private:
  StoreFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  [[nodiscard]] Status rename_durably(const std::string& from, const std::string& to) const;

  std::string path_;
  int lock_;
};

}  // namespace tidegate::store
