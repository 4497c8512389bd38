#include "gateway/log/writer.h"

#include <fmt/format.h>
#include <pthread.h>

#include <utility>

namespace tidegate::log {

void Writer::start() {
  std::lock_guard lock(mutex_);
  if (std::exchange(running_, true)) return;
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "tg-log");
}

void Writer::stop() {
  {
    std::lock_guard lock(mutex_);
    if (!std::exchange(running_, false)) return;
  }
  something_.notify_one();
  thread_.join();
}

void Writer::set_destinations(Destinations destinations) {
  std::vector<Place> places;
  for (auto& destination : destinations) places.push_back({std::move(destination)});
  std::lock_guard writing(writing_);
  flush();
  places_.swap(places);
}

void Writer::reopen() {
  std::lock_guard writing(writing_);
  for (Place& place : places_) place.destination->reopen();
}

void Writer::post(Line line) {
  {
    std::lock_guard lock(mutex_);
    if (running_) {
      if (waiting_.size() >= lines_max_) {
        waiting_.pop_front();
        ++dropped_;
        ++dropped_unsaid_;
      }
      waiting_.push_back(std::move(line));
      if (waiting_.size() == 1) something_.notify_one();
      return;
    }
  }
  std::lock_guard writing(writing_);
  write(line);
  flush();
}

void Writer::run() {
  for (;;) {
    std::deque<Line> lines;
    uint64_t lost = 0;
    bool ends = false;
    {
      std::unique_lock lock(mutex_);
      something_.wait(lock, [this] { return !waiting_.empty() || !running_; });
      lines.swap(waiting_);
      lost = std::exchange(dropped_unsaid_, 0);
      ends = !running_;
    }
    std::lock_guard writing(writing_);
    if (lost > 0) {
      write({lines.front().at, Level::warning, Component::gateway,
             fmt::format("Log lines dropped: lines={}; its destinations could not follow", lost)});
    }
    for (const Line& line : lines) write(line);
    flush();
    if (ends) return;
  }
}

void Writer::write(const Line& line) {
  for (Place& place : places_) {
    bool failed = !place.destination->write(line);
    if (failed) ++dropped_;
    if (failed == std::exchange(place.failing, failed) || !failed) continue;
    Line told{line.at, Level::error, Component::gateway,
              "Cannot write the log: destination=" + place.destination->name()};
    for (Place& other : places_) {
      if (!other.failing) (void)other.destination->write(told);
    }
  }
}

void Writer::flush() {
  for (Place& place : places_) place.destination->flush();
}

}  // namespace tidegate::log
