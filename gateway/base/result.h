// Result<T>: a value or an Error, with the names of std::expected (C++23); g++ 12 has none, so tl::expected stands in.
//
// The peer is wrong: a reason code, that connection only. The world is wrong: an Error with code and context.
// We are wrong: TIDEGATE_CHECK, in release too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace tidegate {

enum class ErrorCode : uint8_t {
  invalid,        // an argument or a file's content is wrong
  not_found,      // a file, a name, a record that is not there
  io,             // the operating system or the disk failed
  no_space,       // the disk or a limit is full
  corrupt,        // stored data that cannot be read
  newer_format,   // stored by a newer version
  in_use,         // a port or a folder belongs to somebody else
  not_available,  // not now; may work later
  refused,        // the peer said no
  timeout,
};

[[nodiscard]] std::string_view name(ErrorCode code);

// `context` is one sentence for a person: what failed, where, and what to do where that is known.
struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::invalid;
  std::string context;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string context) {
  return tl::unexpected<Error>(Error{code, std::move(context)});
}

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

// An invariant of ours: broken means a bug here, and going on could break a promise.
#define TIDEGATE_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::tidegate::check_failed(#condition, __FILE__, __LINE__))

}  // namespace tidegate
