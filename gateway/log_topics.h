// Lines of the log on their way to the broker, whose topics they become.
//
// Thread: any. They outlive the loop: once detached, lines are let go.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "gateway/net/core_loop.h"

namespace tidegate {

class LogTopics : public std::enable_shared_from_this<LogTopics> {
 public:
  void attach(net::CoreLoop& loop);
  void detach();
  // False: too many are on their way.
  [[nodiscard]] bool publish(std::string topic, std::string payload);

 private:
  std::mutex mutex_;
  net::CoreLoop* loop_ = nullptr;
  std::atomic<uint32_t> on_their_way_{0};
};

}  // namespace tidegate
