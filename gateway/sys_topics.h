// The $SYS tree of the running gateway: gathers the facts and publishes what has changed. gateway/status/ says which
// topics there are.
//
// Thread: the core's, but for heap_bytes.
#pragma once

#include <optional>
#include <string>

#include "gateway/bridges.h"
#include "gateway/net/core_loop.h"
#include "gateway/status/sys_tree.h"

namespace tidegate {

// What the program has allocated and not given back. Looks at every arena's free lists: not for the core thread.
[[nodiscard]] uint64_t heap_bytes();

class SysTopics {
 public:
  SysTopics(std::string version, Instant started);

  void set_heap_bytes(uint64_t bytes);
  // Call about once a second: publishes when `interval` has passed since the last time; none: takes the tree back.
  void publish(net::CoreLoop& loop, const Bridges& bridges, std::optional<Millis> interval);

 private:
  void gather(const net::CoreLoop& loop, const broker::Broker& broker, const Bridges& bridges, Now now);
  void publish_as(broker::Broker& broker, status::TopicValues wanted);

  status::SysFacts facts_;
  status::TopicValues published_;
  const Instant started_;
  Instant last_;
  Instant next_;
};

}  // namespace tidegate
