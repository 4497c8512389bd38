// The way down of one bridge: what the remote sent is on disk before the remote gets its acknowledgement.
//
// QoS 0 goes straight to the host. QoS 1 and 2 are appended to the inbox queue, committed, handed to the host; only then
// may the link acknowledge. QoS 2 is committed with its packet id, by which a repetition is known. Without a healthy store
// nothing is taken: the link then ends the connection instead of acknowledging, and the remote sends the message again.
//
// Thread: `message` from the link's threads, which it makes wait for the disk; `sent` from the bridge's; the others any.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>

#include "bridge/bridge.h"
#include "bridge/echo_table.h"
#include "bridge/exchanges.h"
#include "bridge/topic_map.h"
#include "store/committer.h"
#include "store/queue.h"

namespace tidegate::bridge {

class Downlink {
 public:
  Downlink(BridgeId bridge, const TopicMap& map, QueueId inbox, const store::QueueTail& tail, Exchanges& exchanges,
           store::Committer& committer, BridgeHost& host);

  // True: it may be acknowledged (which includes: dropped and counted).
  // `packet_id`: of an exchange of QoS 2; 0: none is kept.
  [[nodiscard]] bool message(Message remote, PacketId packet_id, const Now& now);

  // Whether own messages can come back on this connection (3.1.1 and a `both` rule).
  void watch_echoes(bool on);
  void sent(const Message& remote, const Now& now);
  // It was not sent after all.
  void not_sent(const Message& remote, const Now& now) { (void)is_echo(remote, now); }

  [[nodiscard]] store::QueueTail tail() const;
  struct Counters {
    uint64_t received = 0, echoes = 0, no_local_topic = 0, not_stored = 0;
  };
  [[nodiscard]] Counters counters() const;

 private:
  struct Stored {
    MessagePtr message;
    Seq seq{};
    Ticket ticket{};
  };
  [[nodiscard]] Stored store(Message local, PacketId packet_id);
  [[nodiscard]] bool hand_over(const Stored& stored, PacketId packet_id);
  [[nodiscard]] std::optional<Stored> repeated(PacketId packet_id);
  [[nodiscard]] bool is_echo(const Message& remote, const Now& now);

  const BridgeId bridge_;
  const TopicMap& map_;
  Exchanges& exchanges_;
  store::Committer& committer_;
  BridgeHost& host_;

  mutable std::mutex mutex_;  // of the three below
  store::QueueAppender inbox_;
  store::Batch batch_;
  std::map<PacketId, Stored> not_handed_over_;  // the disk was too slow; the remote sends it again

  std::atomic<bool> watching_ = false;
  std::mutex echo_mutex_;
  EchoTable echoes_;

  std::atomic<uint64_t> received_ = 0, echo_count_ = 0, no_local_topic_ = 0, not_stored_ = 0;
};

}  // namespace tidegate::bridge
