// One run over a configuration: what was found wrong so far, and how to say it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "config/outside.h"
#include "config/problem.h"
#include "config/secret.h"

namespace tidegate::config {

class Reading {
 public:
  explicit Reading(const Outside& outside) : outside_(outside) {}

  void error(const Place& place, std::string message);
  void warning(const Place& place, std::string message);
  // "expected WHAT, found NODE; did you mean HINT?". An empty hint is left out.
  void expected(const Node& node, std::string_view what, std::string_view hint = {});
  // As above without what stood there.
  void expected_secretly(const Node& node, std::string_view what);

  // A string's text with ${NAME} replaced. None: not a string or not replaceable, which has been reported as WHAT.
  std::optional<std::string> text(const Node& node, std::string_view what);
  // As above, and relative to the folder of the file it stands in.
  std::optional<std::string> path(const Node& node);
  std::optional<Secret> secret(const Node& node);

  // Mode bits of a configuration file, for the secrets that stand in it.
  void note_file_mode(std::string file, uint32_t mode) { modes_.push_back({std::move(file), mode}); }

  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  [[nodiscard]] std::vector<Problem> take_problems() { return std::move(problems_); }
  [[nodiscard]] const Outside& outside() const { return outside_; }

 private:
  std::optional<Secret> secret_of_file(const Node& node, std::string_view written_path);
  void check_mode_for_inline_secret(const Node& node);

  struct FileMode {
    std::string file;
    uint32_t mode;
  };

  const Outside& outside_;
  std::vector<Problem> problems_;
  std::vector<FileMode> modes_;
};

// `path` seen from the folder of `file`; an absolute path stays.
[[nodiscard]] std::string beside(const std::string& file, const std::string& path);

}  // namespace tidegate::config
