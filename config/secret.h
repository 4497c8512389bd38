// A value that is never printed: no conversion to text, `<<` writes "<secret>", and fmt refuses it at compile time.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace tidegate::config {

class Secret {
 public:
  Secret() = default;
  // `source` says for people where it came from: "file:/etc/tidegate/secrets/x", "environment NAME" or "configuration".
  Secret(std::string value, std::string source) : value_(std::move(value)), source_(std::move(source)) {}

  [[nodiscard]] const std::string& reveal() const { return value_; }
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "<secret>"; }

 private:
  std::string value_;
  std::string source_;
};

}  // namespace tidegate::config
