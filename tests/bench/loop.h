// The epoll loop of the load program and of the demo: readiness in, callbacks out. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>

namespace bench {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// The one way these programs fail: say why and end. Caught in main only.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What has a socket in the loop.
class Pollable {
 public:
  virtual void on_ready(uint32_t epoll_events) = 0;

 protected:
  ~Pollable() = default;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void add(int fd, uint32_t epoll_events, Pollable& target);
  void change(int fd, uint32_t epoll_events, Pollable& target);

  // Waits up to `timeout` and calls everything that is ready once.
  // REQUIRES: no Pollable is destroyed in a callback (closing its descriptor is fine).
  void poll(nanoseconds timeout);

 private:
  int epoll_;
};

}  // namespace bench
