// A few threads that do what the core must not wait for: disk reads, password hashing, name lookups.
//
// Thread: post from any; tasks run in order of posting, on whichever thread is free. Tasks must not throw.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tidegate::net {

class TaskThreads {
 public:
  // `name` is what the operating system calls them, at most 15 bytes.
  TaskThreads(std::string name, size_t threads, size_t waiting_max);
  ~TaskThreads();  // finishes what runs, drops what waits
  TaskThreads(const TaskThreads&) = delete;
  TaskThreads& operator=(const TaskThreads&) = delete;

  // False: `waiting_max` tasks wait already, and this one was not taken.
  [[nodiscard]] bool post(std::function<void()> task);

 private:
  void run();

  const std::string name_;
  const size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable something_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tidegate::net
