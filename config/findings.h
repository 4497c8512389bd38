// Reports what validation finds at the place where it stands, and keeps quiet about what follows from an error that
// was reported already.
#pragma once

#include <initializer_list>
#include <set>
#include <string>

#include "config/include.h"
#include "config/reading.h"

namespace tidegate::config {

class Findings {
 public:
  Findings(const Places& places, Reading& reading);

  // `pointer` is of the joined tree; where no such value is written, its parent's place is named. `depends`: the parts
  // that must have been read without error, each with all below it; none given: `pointer`.
  void error(const std::string& pointer, std::string message, std::initializer_list<std::string> depends = {});
  void warning(const std::string& pointer, std::string message, std::initializer_list<std::string> depends = {});

  // Is there a value at `pointer`?
  [[nodiscard]] bool written(const std::string& pointer) const { return places_.contains(pointer); }
  // "line 7", or "file:7" when it is another file than that of `from`: for messages that name a second place.
  [[nodiscard]] std::string line_of(const std::string& pointer, const std::string& from) const;

 private:
  [[nodiscard]] const Place& place_of(std::string pointer) const;
  [[nodiscard]] bool could_be_read(const std::string& pointer) const;
  [[nodiscard]] bool stands(const std::string& pointer, std::initializer_list<std::string> depends) const;

  const Places& places_;
  Reading& reading_;
  std::set<std::string> broken_;  // pointers of the joined tree with a reading error
};

}  // namespace tidegate::config
