#include "tests/bench/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace bench {

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw Failure("cannot open an epoll descriptor");
}

Loop::~Loop() {
  close(epoll_);
}

void Loop::add(int fd, uint32_t epoll_events, Pollable& target) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = &target;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) throw Failure("cannot watch a socket");
}

void Loop::change(int fd, uint32_t epoll_events, Pollable& target) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.ptr = &target;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) throw Failure("cannot watch a socket");
}

void Loop::poll(nanoseconds timeout) {
  std::array<epoll_event, 256> events;
  auto left = std::max(timeout, nanoseconds(0));
  timespec wait{static_cast<time_t>(left.count() / 1'000'000'000), static_cast<long>(left.count() % 1'000'000'000)};
  int ready = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
  if (ready < 0 && errno != EINTR) throw Failure("epoll_pwait2 failed");
  for (int i = 0; i < ready; ++i) {
    auto& event = events[static_cast<size_t>(i)];
    static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
  }
}

}  // namespace bench
