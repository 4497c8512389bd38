// A thread that writes lines to destinations, so that a slow disk or terminal delays nobody.
//
// Bounded: when it cannot follow, the oldest lines go; how many is counted and said. A destination that fails is told of
// at the others, once, and is tried again with every line.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/log/line.h"

namespace tidegate::log {

class Destination {
 public:
  virtual ~Destination() = default;
  // False: it could not be written, or not yet. Thread: the writer's; may wait for the disk.
  [[nodiscard]] virtual bool write(const Line& line) = 0;
  virtual void flush() {}
  virtual void reopen() {}                             // a file was renamed, and begins anew under its name
  [[nodiscard]] virtual std::string name() const = 0;  // for people
};
using Destinations = std::vector<std::unique_ptr<Destination>>;

class Writer {
 public:
  explicit Writer(size_t lines_max) : lines_max_(lines_max) {}
  ~Writer() { stop(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Until then, and after `stop`, lines are written by whoever has them.
  void start();
  // Everything that waits is written.
  void stop();
  void set_destinations(Destinations destinations);  // waits for a line that is being written
  void reopen();                                     // as above

  void post(Line line);  // any thread
  [[nodiscard]] uint64_t dropped() const { return dropped_; }

 private:
  struct Place {
    std::unique_ptr<Destination> destination;
    bool failing = false;
  };
  void run();
  void write(const Line& line);  // REQUIRES: writing_
  void flush();

  const size_t lines_max_;
  std::mutex mutex_;  // of waiting_, running_, dropped_unsaid_
  std::condition_variable something_;
  std::deque<Line> waiting_;
  bool running_ = false;
  uint64_t dropped_unsaid_ = 0;
  std::mutex writing_;  // of places_; taken before mutex_, never behind it
  std::vector<Place> places_;
  std::atomic<uint64_t> dropped_{0};
  std::thread thread_;
};

}  // namespace tidegate::log
