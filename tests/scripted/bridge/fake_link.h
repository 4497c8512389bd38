// A remote behind a link without sockets: it connects and grants at once, and what becomes of a publish is the test's word.
//
// Thread: on_publish before the bridge starts or from any thread; it runs on the bridge's.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "bridge/bridge.h"
#include "bridge/cloud_link.h"

namespace tidegate::bridge {

class FakeRemote {
 public:
  using OnPublish = std::function<Status(LinkEvents&, LinkToken, const Message&)>;

  [[nodiscard]] LinkFactory link() {
    return [this](LinkEvents& events) {
      events_ = &events;
      return std::make_unique<Link>(*this);
    };
  }
  [[nodiscard]] LinkEvents& events() { return *events_; }
  // Without it, each is acknowledged at once.
  void on_publish(OnPublish action) {
    std::lock_guard lock(mutex_);
    on_publish_ = std::move(action);
  }

 private:
  class Link : public CloudLink {
   public:
    explicit Link(FakeRemote& remote) : remote_(remote) {}
    Status connect(const ConnectRequest&) override {
      remote_.events().connected({});
      return {};
    }
    Status publish(LinkToken token, MessagePtr message, Qos, bool, Seconds) override {
      std::lock_guard lock(remote_.mutex_);
      return remote_.on_publish_(remote_.events(), token, *message);
    }
    Status subscribe(std::span<const RemoteFilter> filters) override {
      remote_.events().subscribed(std::vector<int>(filters.size(), 0));
      return {};
    }
    void disconnect(Millis) override {}
    void close() override {}

   private:
    FakeRemote& remote_;
  };

  LinkEvents* events_ = nullptr;
  std::mutex mutex_;
  OnPublish on_publish_ = [](LinkEvents& events, LinkToken token, const Message&) -> Status {
    events.acknowledged(token);
    return {};
  };
};

}  // namespace tidegate::bridge
