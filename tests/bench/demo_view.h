// What the audience of the demo sees: a block redrawn in place on a terminal, else a line each second.
#pragma once

#include <cstdint>
#include <string>

namespace bench {

struct Scene {
  double seconds = 0;
  std::string cloud;         // what happens there, in words
  std::string bridge_state;  // as the gateway's status topic says it
  int connection = -1;       // the gateway's connection topic: 1, 0, or -1 before it said anything
  uint64_t queue = 0;
  bool queue_known = false;
  uint64_t bridge_dropped = 0;
  uint64_t sent = 0;
  uint64_t acknowledged = 0;
  uint64_t delivered = 0;
  uint64_t lost = 0;  // a later message of the same device came, this one did not
  uint64_t duplicated = 0;
};

class DemoView {
 public:
  DemoView();
  void show(const Scene& scene);

 private:
  void draw_block(const Scene& scene);

  bool terminal_;
  bool drawn_ = false;
  double next_at_s_ = 0;
};

}  // namespace bench
