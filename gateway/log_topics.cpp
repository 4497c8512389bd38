#include "gateway/log_topics.h"

#include <utility>

#include "gateway/log/log.h"

namespace tidegate {
namespace {

constexpr uint32_t on_their_way_max = 1000;

}  // namespace

void LogTopics::attach(net::CoreLoop& loop) {
  std::lock_guard lock(mutex_);
  loop_ = &loop;
}

void LogTopics::detach() {
  std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

bool LogTopics::publish(std::string topic, std::string payload) {
  std::lock_guard lock(mutex_);
  if (!loop_) return true;  // there are no subscribers
  if (on_their_way_ >= on_their_way_max) return false;
  ++on_their_way_;
  loop_->post([self = shared_from_this(), loop = loop_, topic = std::move(topic), payload = std::move(payload)] {
    --self->on_their_way_;
    log::PublishingLines quiet;
    loop->broker().publish_own(topic, payload, false);
  });
  return true;
}

}  // namespace tidegate
