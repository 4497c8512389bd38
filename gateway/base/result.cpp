#include "gateway/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace tidegate {

std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::io: return "io";
    case ErrorCode::no_space: return "no_space";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::newer_format: return "newer_format";
    case ErrorCode::in_use: return "in_use";
    case ErrorCode::not_available: return "not_available";
    case ErrorCode::refused: return "refused";
    case ErrorCode::timeout: return "timeout";
  }
  return "unknown";
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "tidegate: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace tidegate
