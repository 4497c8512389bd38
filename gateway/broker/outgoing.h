// Outgoing messages of a session: the window of packet ids in flight, what waits behind it, and the queue on disk
// (MQTT 4.3, 4.4, 4.6).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/broker/publication.h"
#include "gateway/broker/state.h"
#include "gateway/mqtt/packet.h"
#include "store/store.h"

namespace tidegate::broker::outgoing {

// What the receiving subscription asks for.
struct Terms {
  Qos qos = Qos::at_most_once;        // of the delivery
  bool retain = false;                // flag of the delivery
  std::string_view subscription_ids;  // 5.0 properties in wire form
  bool beyond_output_limit = false;   // QoS 0: not dropped although the connection is slow
  const std::shared_ptr<const std::string>* group =
      nullptr;  // its filter, if the session gets it as a member of a group
};

// How soon a session could be sent a message of that QoS, the soonest first.
enum class Readiness : uint8_t {
  now,        // connected, with room
  later,      // connected
  when_back,  // away, but it would be kept
  full,       // its queue would drop it
  never,      // away, and it would not be kept
};
[[nodiscard]] Readiness readiness(State& state, Session& session, Qos qos);

// A message for `session`: sent now, or kept as its QoS and session ask. A full queue drops the newest, counted.
void deliver(State& state, Session& session, Publication& publication, const Terms& terms);

// More than output_bytes_max waits to be written: QoS 0 is dropped, counted.
[[nodiscard]] bool is_slow(State& state, Connection& conn);

// The client's answers. Unknown packet ids are answered as the standard says and change nothing.
void acknowledged(State& state, Connection& conn, const mqtt::Ack& puback);
void received(State& state, Connection& conn, const mqtt::Ack& pubrec);
void completed(State& state, Connection& conn, const mqtt::Ack& pubcomp);

// A durable session has a connection again: what was in flight is sent again under its ids, in order [MQTT-4.4.0-1].
void resume(State& state, Session& session);
// Its connection ended.
void suspend(State& state, Session& session);

// Answer to Output::read_queue from place `from`.
void records_read(State& state, QueueId queue, Seq from, const std::vector<store::QueueRecord>& records);
// It is asked again after the next commit, or a second at the latest.
void read_failed(State& state, QueueId queue);
void read_again(State& state, Session& session);
// Batches were committed: sessions whose unread records were not on disk when asked for ask again.
void feed_starved(State& state);

// A PUBLISH has waited for the disk: it says how long its message lasts from now on [MQTT-3.3.2-6]. False: not at all any
// more, and it is not one that the client may have got before.
[[nodiscard]] bool tell_time_left(State& state, ConnId conn, std::string& publish, WallTime expires);
// Such a PUBLISH does not go [MQTT-3.3.2-5]. REQUIRES: the gate is not being opened.
void expired(State& state, ConnId conn, std::string_view publish);

// Puts the marks of queues that changed into the batch.
void flush_marks(State& state);

}  // namespace tidegate::broker::outgoing
