// The port of enhanced authentication (5.0, 4.12): methods, and one exchange with a client, step by step.
//
// A step is computed at once and calls nobody back. Thread: the core's; what stands behind it may be changed by others.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tidegate::broker {

class AuthExchange {
 public:
  struct Step {
    enum class Kind : uint8_t { go_on, done, refused };
    Kind kind = Kind::refused;
    std::string data;      // for the client; of `refused` none
    std::string username;  // of `done`: who it is
  };
  virtual ~AuthExchange() = default;
  // What the client has sent. Not called after `done` or `refused`.
  [[nodiscard]] virtual Step next(std::string_view data) = 0;
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  [[nodiscard]] virtual bool knows(std::string_view method) const = 0;
  // nullptr: the method is not known. A user who is not known is none of its business: the exchange fails at its end.
  [[nodiscard]] virtual std::unique_ptr<AuthExchange> begin(std::string_view method) = 0;
};

}  // namespace tidegate::broker
