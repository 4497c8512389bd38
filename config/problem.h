// What is wrong with a configuration, and where. All problems are collected; nobody has to fix one to see the next.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tidegate::config {

struct Place {
  std::string file;     // as given to load(), or the path of an included file
  uint32_t line = 0;    // from 1; 0: the file as a whole
  uint32_t column = 0;  // from 1, in characters
  std::string pointer;  // JSON pointer (RFC 6901) inside `file`; empty: the whole

  friend bool operator==(const Place&, const Place&) = default;
};

enum class Severity : uint8_t { error, warning };

// `message` is one sentence: what was expected, what stood there, what to write. Never holds a secret.
struct Problem {
  Severity severity = Severity::error;
  Place place;
  std::string message;

  friend bool operator==(const Problem&, const Problem&) = default;
};

// `tidegate.json:12:7: error: /bridges/0/keepalive: expected ...`: one line, as compilers write it.
[[nodiscard]] std::string render(const Problem& problem);

[[nodiscard]] bool has_error(const std::vector<Problem>& problems);

// By file and line; the order of a file's own problems is kept where they stand on one place.
void sort_by_place(std::vector<Problem>& problems);

}  // namespace tidegate::config
