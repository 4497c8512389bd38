// Retained messages (3.3.1.3): a new subscriber gets the last one that the broker took for each topic, none after an
// empty one, none that has expired, in the form that its subscription asks for. After a crash it is one of those that
// came since what is known to be on disk, which an acknowledgement tells as well as a commit.
#pragma once

#include <vector>

#include "tests/sim/checker.h"

namespace tidegate::sim {

class RetainedMessages : public Checker {
 public:
  using Checker::Checker;
  void subscribed(Session& session, const std::string& filter, bool is_new) override;
  void taken(const Take& take) override;
  void acknowledged(const Message& message) override;
  void crashed() override;

 private:
  struct Version {
    const Message* message = nullptr;
    Instant expires = Instant::never();
    BatchNumber put_in;
    bool sure = true;              // false: a crash may have forgotten it
    bool may_be_a_repeat = false;  // of what a crash has not forgotten: then it changes nothing
  };
  using Versions = std::vector<Version>;  // the last one is the newest

  std::map<std::string, Versions> by_topic_;
};

}  // namespace tidegate::sim
