// Name lookups that never stand in anybody's way.
//
// Paho looks names up under the lock that all its clients share, so one dead name server would stop every bridge
// (measured: 5.8 s for a healthy one). Here each bridge looks its name up beforehand on a thread of its own, and the
// executable's own getaddrinfo answers Paho from that result at once. Names that no bridge registered pass through to
// the C library. The certificate check and SNI still see the name.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/base/result.h"

namespace tidegate::bridge {

// Numeric addresses, best first; never an empty list. May block for as long as it likes.
using Resolver = std::function<Result<std::vector<std::string>>(const std::string& host)>;
[[nodiscard]] Result<std::vector<std::string>> resolve_by_system(const std::string& host);

[[nodiscard]] bool is_numeric_address(const std::string& host);

// While it lives, this process's getaddrinfo answers for `host` from what was pinned, or with EAI_AGAIN, at once.
// Several for one host share the answer. Thread: any.
class PinnedName {
 public:
  explicit PinnedName(std::string host);
  ~PinnedName();
  PinnedName(const PinnedName&) = delete;
  PinnedName& operator=(const PinnedName&) = delete;
  void pin(const std::string& numeric);
  [[nodiscard]] const std::string& host() const { return host_; }

 private:
  const std::string host_;
};

// The lookups of one bridge. At most one thread for each host at a time; a thread that hangs is left alone.
class NameLookup {
 public:
  // `wake` is called from a lookup's thread when there may be something to take; never after the destructor.
  NameLookup(Resolver resolver, std::function<void()> wake);
  ~NameLookup();  // does not wait

  void start(const std::string& host);
  // The answer for `host`, also a late one of an earlier start. Nothing: not yet.
  [[nodiscard]] std::optional<Result<std::vector<std::string>>> take(const std::string& host);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::bridge
