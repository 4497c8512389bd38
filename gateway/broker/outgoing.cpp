#include "gateway/broker/outgoing.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "gateway/base/bytes.h"
#include "gateway/broker/authorize.h"
#include "gateway/mqtt/decode.h"
#include "store/keys.h"
#include "store/records.h"

namespace tidegate::broker::outgoing {
namespace {

using Phase = Inflight::Phase;

constexpr Seconds read_again_after{1};  // a read that failed

Outgoing& outgoing_of(Session& session) {
  if (!session.outgoing) session.outgoing = std::make_unique<Outgoing>();
  return *session.outgoing;
}

bool has_room(const Connection& conn, const Outgoing& out) {
  return out.inflight.size() - out.to_resend < conn.window;
}

// The next unused packet id. The window is far smaller than 65,535, so there always is one. A scan of the window finds
// a run of free ids; most calls only count it down.
mqtt::PacketId next_packet_id(Outgoing& out) {
  while (out.free_ids == 0) {
    uint32_t run = 65535;
    for (const Inflight& inflight : out.inflight) {
      uint32_t distance = static_cast<uint16_t>(inflight.packet_id - out.last_packet_id - 1);
      run = std::min(run, distance);
    }
    if (run == 0) ++out.last_packet_id;  // taken: step over it
    out.free_ids = run;
  }
  --out.free_ids;
  if (++out.last_packet_id == 0) return next_packet_id(out);
  return out.last_packet_id;
}

// An alias that the client knows may stand in any packet. It is told one in a packet that is written at once: what is held
// may be overtaken.
void add_alias(Connection& conn, Publication& publication, Delivery& delivery, bool at_once) {
  TopicAliases& aliases = *conn.topic_aliases_out;
  std::string_view topic = publication.message().topic;
  delivery.topic_alias = aliases.find(topic);
  delivery.by_alias = delivery.topic_alias != 0;
  if (delivery.by_alias || !at_once) return;
  delivery.topic_alias = aliases.next(topic);
  if (delivery.topic_alias == 0) return;
  if (publication.fits(delivery)) return aliases.add(topic);
  delivery.topic_alias = 0;
}

void write(State& state, Connection& conn, Publication& publication, Delivery delivery, BatchNumber until) {
  if (!publication.fits(delivery)) {
    ++state.counters.dropped_too_large;
    return;
  }
  until = std::max(until, conn.publish_after);
  ++state.counters.publishes_sent;
  ++state.counters.packets_sent;
  state.counters.publish_bytes_sent += publication.message().payload.size();
  if (conn.topic_aliases_out) add_alias(conn, publication, delivery, state.gate.is_committed(until));
  if (state.gate.is_committed(until)) {
    if (OutBuffer* buffer = state.out.buffer(conn.id)) (void)publication.write(delivery, *buffer);
    return;
  }
  OutBuffer held;
  (void)publication.write(delivery, held);
  for (const OutBuffer::Shared& shared : held.shared()) held.own().append(shared.message->payload);
  conn.publish_bytes_held += held.own().size();
  state.gate.hold(conn.id, until, held.own(), publication.message().expires);
}

Delivery delivery_to(const Connection& conn, Qos qos, bool retain, std::string_view subscription_ids) {
  return {conn.version, qos, retain, false, 0, subscription_ids, conn.packet_bytes_max};
}

void send_qos0(State& state, Connection& conn, Publication& publication, const Terms& terms) {
  if (!terms.beyond_output_limit && is_slow(state, conn)) {
    ++state.counters.dropped_slow_connection;
    return;
  }
  write(state, conn, publication, delivery_to(conn, Qos::at_most_once, terms.retain, terms.subscription_ids),
        BatchNumber{0});
}

// A client that cannot take the packet is spared it, as if it had acknowledged [MQTT-3.1.2-25].
bool fits(const Connection& conn, Publication& publication, const Terms& terms) {
  return publication.fits(delivery_to(conn, terms.qos, terms.retain, terms.subscription_ids));
}

// Its place is in the order of records: after a restart a QoS 2 delivery may be known that stands behind this one.
void add_inflight(Outgoing& out, Inflight entry) {
  auto place = out.inflight.end();
  while (place != out.inflight.begin() && std::prev(place)->seq > entry.seq) --place;
  out.inflight.insert(place, std::move(entry));
}

// The record is about to be sent: whether it may have been before.
bool was_sent(Durable& durable, Seq seq) {
  if (seq < durable.sent_below) return true;
  durable.sent_below = Seq{seq.value + 1};
  return false;
}

// REQUIRES: room in the window.
void send_new(State& state, Session& session, Connection& conn, Publication& publication, const Terms& terms, Seq seq) {
  Outgoing& out = outgoing_of(session);
  Delivery delivery = delivery_to(conn, terms.qos, terms.retain, terms.subscription_ids);
  delivery.packet_id = next_packet_id(out);
  delivery.dup = session.durable && was_sent(*session.durable, seq) && terms.qos == Qos::at_least_once;
  uint64_t bytes = session.durable ? counted_bytes(publication.message()) : 0;
  std::unique_ptr<OfGroup> of_group;
  if (terms.group && !session.durable && terms.qos == Qos::at_least_once) {
    of_group = std::make_unique<OfGroup>(OfGroup{*terms.group, publication.shared()});
  }
  add_inflight(out, {delivery.packet_id, terms.qos, Phase::sent, false, seq, bytes, std::move(of_group)});
  if (session.durable && terms.qos == Qos::exactly_once) {
    // The packet id is on disk before it is used: a reused id after a crash would make the client take a new message
    // for a repeat.
    state.batch.put(store::Table::state, store::inflight_key(session.durable->appender.id(), delivery.packet_id),
                    store::encode(store::InflightRecord{seq, false}));
    conn.queue_after = state.batch_number;
  }
  write(state, conn, publication, delivery, conn.queue_after);
}

void advance_head(State& state, Session& session) {
  Durable& durable = *session.durable;
  Seq first = durable.next_read;
  if (const Outgoing* out = session.outgoing.get()) {
    if (!out->waiting.empty()) first = std::min(first, out->waiting.front().seq);
    for (const Inflight& inflight : out->inflight) {
      if (inflight.phase == Phase::sent) {
        first = std::min(first, inflight.seq);
        break;
      }
    }
  }
  store::QueueSize left = store::size_of(durable.appender.tail(), durable.remover.head());
  if (first == durable.appender.tail().next && left.messages > 0) {  // what is left could not be read
    return durable.remover.remove_below(state.batch, first, left.messages, left.bytes, false);
  }
  durable.remover.advance(first);
}

void remove_record(State& state, Session& session, Seq seq, uint64_t bytes) {
  session.durable->remover.remove(state.batch, seq, bytes);
  session.durable->removed_in = state.batch_number;
  advance_head(state, session);
  state.mark_dirty(session);
}

// Reads again after the next commit.
void starve(State& state, Durable& durable) {
  if (std::exchange(durable.starved, true)) return;
  state.starved.push_back(durable.appender.id());
}

void read_more(State& state, Session& session, const Connection& conn) {
  Durable& durable = *session.durable;
  if (durable.reading || durable.starved || durable.next_read >= durable.appender.tail().next) return;
  if (!state.gate.is_committed(durable.read_after)) return starve(state, durable);
  durable.reading = true;
  durable.reading_all = state.gate.is_committed(durable.appended_in);
  durable.read_end = durable.appender.tail().next;
  store::ReadLimit limit{std::max<size_t>(conn.window, 16), 1u << 20};
  state.out.read_queue(durable.appender.id(), durable.next_read, durable.read_end, limit);
}

void forget_packet_id(State& state, const Session& session, const Inflight& entry) {
  if (!session.durable || entry.qos != Qos::exactly_once) return;
  state.batch.erase(store::Table::state, store::inflight_key(session.durable->appender.id(), entry.packet_id));
}

// Nothing of QoS 2 is left to agree upon but its packet id.
void release(State& state, Session& session, Inflight& entry) {
  entry.phase = Phase::released;
  if (!session.durable) return;
  state.batch.put(store::Table::state, store::inflight_key(session.durable->appender.id(), entry.packet_id),
                  store::encode(store::InflightRecord{entry.seq, true}));
  state.touch(session);
}

void send_pubrel(State& state, Connection& conn, mqtt::PacketId id, mqtt::ReasonCode reason) {
  state.scratch.clear();
  mqtt::encode(mqtt::Ack{mqtt::PacketType::pubrel, id, reason, {}}, conn.version, state.scratch);
  state.send_after(conn, conn.session->changed_in, state.scratch);
}

// It cannot be sent again. Returns whether its packet id is free: of QoS 2 it is not, a client that got it earlier takes
// what comes under that id for the same message until PUBREL [MQTT-4.3.3-10].
bool give_up(State& state, Session& session, Inflight& entry) {
  entry.resend = false;
  --session.outgoing->to_resend;
  if (entry.qos != Qos::exactly_once) return true;
  release(state, session, entry);
  send_pubrel(state, *state.connection_of(session), entry.packet_id, mqtt::ReasonCode::success);
  return false;
}

void send_again(State& state, Session& session, Connection& conn, const Waiting& next, Publication& publication) {
  Outgoing& out = *session.outgoing;
  auto entry = std::find_if(out.inflight.begin(), out.inflight.end(),
                            [&](const Inflight& inflight) { return inflight.packet_id == next.resend_as; });
  TIDEGATE_CHECK(entry != out.inflight.end() && entry->resend);
  Delivery delivery = delivery_to(conn, next.qos, next.retain, next.subscription_ids);
  delivery.packet_id = next.resend_as;
  delivery.dup = true;  // [MQTT-3.3.1-1]
  if (publication.fits(delivery)) {
    entry->resend = false;
    --out.to_resend;
    return write(state, conn, publication, delivery, conn.queue_after);
  }
  ++state.counters.dropped_too_large;
  Seq seq = entry->seq;
  uint64_t bytes = entry->bytes;
  if (give_up(state, session, *entry)) out.inflight.erase(entry);
  remove_record(state, session, seq, bytes);
}

// The counter of what keeps the message from being sent, if anything does.
uint64_t* not_to_be_sent(State& state, const Connection& conn, Publication& publication, const Terms& terms) {
  if (publication.is_expired()) return &state.counters.dropped_expired;
  if (!fits(conn, publication, terms)) return &state.counters.dropped_too_large;
  if (!authorize::may_read(*conn.session, publication.message().topic)) {
    return &state.counters.dropped_not_allowed;
  }
  return nullptr;
}

// Sends what waits while the window has room, and has more read from disk.
void pump(State& state, Session& session) {
  Connection* conn = state.connection_of(session);
  Outgoing& out = outgoing_of(session);
  if (!conn || conn->stage != Connection::Stage::connected) return;
  while (!out.waiting.empty() && has_room(*conn, out)) {
    Waiting next = std::move(out.waiting.front());
    out.waiting.pop_front();
    out.waiting_bytes -= counted_bytes(*next.message);
    Publication publication(next.message, state.now.wall);
    Terms terms{next.qos, next.retain, next.subscription_ids, false, next.group ? &next.group : nullptr};
    if (next.resend_as != 0) {
      send_again(state, session, *conn, next, publication);
    } else if (uint64_t* dropped = not_to_be_sent(state, *conn, publication, terms)) {
      ++*dropped;
      if (session.durable) remove_record(state, session, next.seq, counted_bytes(*next.message));
    } else {
      send_new(state, session, *conn, publication, terms, next.seq);
    }
  }
  if (session.durable && out.waiting.empty()) read_more(state, session, *conn);
}

bool is_queue_full(const Session& session) {
  store::QueueSize size{0, 0};
  if (session.durable) {
    size = store::size_of(session.durable->appender.tail(), session.durable->remover.head());
  } else if (session.outgoing) {
    size = {session.outgoing->waiting.size(), session.outgoing->waiting_bytes};
  }
  return size.messages >= session.queued_messages_max || size.bytes >= session.queued_bytes_max;
}

void keep_on_disk(State& state, Session& session, Publication& publication, const Terms& terms) {
  Durable& durable = *session.durable;
  if (is_queue_full(session)) {
    ++state.counters.dropped_queue_full;
    return;
  }
  store::MessageView record = publication.message();
  record.qos = terms.qos;
  record.retain = terms.retain;
  if (terms.group) record.share = **terms.group;
  std::string properties;
  if (!terms.subscription_ids.empty()) {
    properties.assign(record.properties).append(terms.subscription_ids);
    record.properties = properties;
  }
  bool all_read = durable.next_read == durable.appender.tail().next;
  Seq seq = durable.appender.append(state.batch, record);
  durable.appended_in = state.batch_number;
  state.mark_dirty(session);

  Connection* conn = state.connection_of(session);
  if (!conn || conn->stage != Connection::Stage::connected || !all_read) return;
  Outgoing& out = outgoing_of(session);
  // The record's counted bytes include its subscription identifiers.
  if (out.waiting.empty() && has_room(*conn, out) && properties.empty() && fits(*conn, publication, terms)) {
    send_new(state, session, *conn, publication, terms, seq);
  } else if (out.waiting.size() < conn->window) {
    MessagePtr message = publication.shared();
    if (!properties.empty()) message = std::make_shared<const Message>(store::to_message(record));
    out.waiting_bytes += counted_bytes(*message);
    out.waiting.push_back({std::move(message), terms.qos, terms.retain, seq, 0, {}, nullptr});
  } else {
    return;  // read back when there is room
  }
  durable.next_read = Seq{seq.value + 1};
  if (!out.waiting.empty()) pump(state, session);
}

void keep_in_memory(State& state, Session& session, Connection& conn, Publication& publication, const Terms& terms) {
  Outgoing& out = outgoing_of(session);
  if (out.waiting.empty() && has_room(conn, out)) {
    if (fits(conn, publication, terms)) {
      send_new(state, session, conn, publication, terms, Seq{0});
    } else {
      ++state.counters.dropped_too_large;
    }
  } else if (is_queue_full(session)) {
    ++state.counters.dropped_queue_full;
  } else {
    const MessagePtr& message = publication.shared();
    out.waiting_bytes += counted_bytes(*message);
    out.waiting.push_back({message, terms.qos, terms.retain, Seq{0}, 0, std::string(terms.subscription_ids),
                           terms.group ? *terms.group : nullptr});
  }
}

using Entry = std::deque<Inflight>::iterator;

// The in-flight entry that an answer speaks of, nearly always the first. One with `resend` has not been sent on this
// connection: the answer is to an earlier one, is of no effect, and will come again.
std::optional<Entry> find_inflight(const Session& session, mqtt::PacketId id, Qos qos) {
  if (!session.outgoing) return {};
  std::deque<Inflight>& inflight = session.outgoing->inflight;
  auto entry = std::find_if(inflight.begin(), inflight.end(), [&](const Inflight& e) { return e.packet_id == id; });
  if (entry == inflight.end() || entry->qos != qos) return {};
  return entry;
}

// The delivery is over: its entry, its mark and its record go, and the next message takes its place.
void finish(State& state, Session& session, Entry entry) {
  Inflight done = std::move(*entry);
  Outgoing& out = *session.outgoing;
  out.inflight.erase(entry);
  forget_packet_id(state, session, done);
  if (session.durable && done.phase == Phase::sent) remove_record(state, session, done.seq, done.bytes);
  pump(state, session);
}

// Entries to be sent again whose record could not be read have nothing to send.
void drop_unreadable(State& state, Session& session) {
  Outgoing& out = *session.outgoing;
  auto is_waiting = [&](const Inflight& entry) {
    return std::any_of(out.waiting.begin(), out.waiting.end(),
                       [&](const Waiting& waiting) { return waiting.resend_as == entry.packet_id; });
  };
  std::erase_if(out.inflight, [&](Inflight& entry) {
    if (!entry.resend || entry.seq >= session.durable->next_read || is_waiting(entry)) return false;
    return give_up(state, session, entry);
  });
}

std::optional<mqtt::Publish> as_publish(std::string_view bytes, mqtt::Version version) {
  auto packet = mqtt::decode(mqtt::frame(bytes, bytes.size()), version);
  return packet ? std::optional(std::get<mqtt::Publish>(*packet)) : std::nullopt;
}

}  // namespace

// Counts what is written or held for the connection, and not taken by its socket yet.
bool is_slow(State& state, Connection& conn) {
  if (state.gate.is_committed(conn.publish_after)) conn.publish_bytes_held = 0;
  return state.out.unsent_bytes(conn.id) + conn.publish_bytes_held > conn.listener->limits.output_bytes_max;
}

Readiness readiness(State& state, Session& session, Qos qos) {
  Connection* conn = state.connection_of(session);
  if (conn && qos == Qos::at_most_once) return is_slow(state, *conn) ? Readiness::later : Readiness::now;
  if (!conn && (qos == Qos::at_most_once || !session.durable)) return Readiness::never;
  if (is_queue_full(session)) return Readiness::full;
  if (!conn) return Readiness::when_back;
  const Outgoing* out = session.outgoing.get();
  bool behind = session.durable && session.durable->next_read != session.durable->appender.tail().next;
  bool room = !out || (out->waiting.empty() && has_room(*conn, *out));
  return room && !behind ? Readiness::now : Readiness::later;
}

void deliver(State& state, Session& session, Publication& publication, const Terms& terms) {
  Connection* conn = state.connection_of(session);
  if (conn && conn->stage != Connection::Stage::connected) conn = nullptr;
  if (!authorize::may_read(session, publication.message().topic)) {
    ++state.counters.dropped_not_allowed;
    return;
  }
  if (terms.qos == Qos::at_most_once) {
    if (conn) send_qos0(state, *conn, publication, terms);  // QoS 0 is not kept for those who are away
  } else if (session.durable) {
    keep_on_disk(state, session, publication, terms);
  } else if (conn) {
    keep_in_memory(state, session, *conn, publication, terms);
  }
}

void acknowledged(State& state, Connection& conn, const mqtt::Ack& puback) {
  auto entry = find_inflight(*conn.session, puback.packet_id, Qos::at_least_once);
  if (entry && !(*entry)->resend) {
    finish(state, *conn.session, *entry);
  }
}

void received(State& state, Connection& conn, const mqtt::Ack& pubrec) {
  Session& session = *conn.session;
  auto entry = find_inflight(session, pubrec.packet_id, Qos::exactly_once);
  if (!entry) return send_pubrel(state, conn, pubrec.packet_id, mqtt::ReasonCode::packet_identifier_not_found);
  if ((*entry)->resend) return;
  if (mqtt::is_error(pubrec.reason)) return finish(state, session, *entry);  // 4.3.3: the packet id is free again
  if ((*entry)->phase == Phase::sent) {
    release(state, session, **entry);
    if (session.durable) remove_record(state, session, (*entry)->seq, (*entry)->bytes);
  }
  send_pubrel(state, conn, pubrec.packet_id, mqtt::ReasonCode::success);
}

void completed(State& state, Connection& conn, const mqtt::Ack& pubcomp) {
  auto entry = find_inflight(*conn.session, pubcomp.packet_id, Qos::exactly_once);
  if (entry && (*entry)->phase == Phase::released) finish(state, *conn.session, *entry);
}

void resume(State& state, Session& session) {
  Connection& conn = *state.connection_of(session);
  Outgoing& out = outgoing_of(session);
  out.to_resend = 0;
  for (Inflight& entry : out.inflight) {
    if (entry.phase == Phase::sent) {
      entry.resend = true;
      ++out.to_resend;
    } else {
      send_pubrel(state, conn, entry.packet_id, mqtt::ReasonCode::success);
    }
  }
  session.durable->next_read = session.durable->remover.head().first;
  // Records behind the head may be gone in a batch that is not on disk yet.
  session.durable->read_after = session.durable->removed_in;
  pump(state, session);
}

void suspend(State&, Session& session) {
  if (!session.outgoing || !session.durable) return;  // without a queue it ends now: shared.h
  session.outgoing->waiting.clear();
  session.outgoing->waiting_bytes = 0;
  // A read under way is of no use any more: resume begins at the head.
  session.durable->next_read = session.durable->remover.head().first;
}

void records_read(State& state, QueueId queue, Seq from, const std::vector<store::QueueRecord>& records) {
  auto found = state.sessions_by_queue.find(queue);
  if (found == state.sessions_by_queue.end()) return;
  Session& session = *found->second;
  Durable& durable = *session.durable;
  durable.reading = false;
  if (!state.connection_of(session)) return;
  if (from != durable.next_read) return pump(state, session);  // asked for by an earlier connection
  Outgoing& out = outgoing_of(session);
  for (const store::QueueRecord& record : records) {
    durable.next_read = Seq{record.seq.value + 1};
    Waiting waiting{record.message, record.message->qos, record.message->retain, record.seq, 0, {}, nullptr};
    for (Inflight& entry : out.inflight) {
      if (!entry.resend || entry.seq != record.seq) continue;
      waiting.resend_as = entry.packet_id;
      entry.bytes = counted_bytes(*record.message);
    }
    out.waiting_bytes += counted_bytes(*record.message);
    out.waiting.push_back(std::move(waiting));
  }
  if (records.empty()) {
    if (durable.reading_all) {
      durable.next_read = durable.read_end;  // what stood there cannot be read
    } else if (!state.gate.is_committed(durable.appended_in)) {
      starve(state, durable);
    }
  }
  if (out.to_resend > 0) drop_unreadable(state, session);
  if (records.empty() && durable.reading_all) {
    advance_head(state, session);
    state.mark_dirty(session);
  }
  pump(state, session);
}

void read_failed(State& state, QueueId queue) {
  auto found = state.sessions_by_queue.find(queue);
  if (found == state.sessions_by_queue.end()) return;
  Session& session = *found->second;
  session.durable->reading = false;
  starve(state, *session.durable);
  if (session.conn) {  // there may be no commit for a long time
    state.deadlines.add(
        Deadline::of_connection(state.now.mono + read_again_after, Deadline::Kind::read_again, session.conn));
  }
}

void read_again(State& state, Session& session) {
  if (!session.durable || !std::exchange(session.durable->starved, false)) return;
  std::erase(state.starved, session.durable->appender.id());
  pump(state, session);
}

void feed_starved(State& state) {
  if (state.starved.empty()) return;
  std::vector<QueueId> starved;
  starved.swap(state.starved);
  for (QueueId queue : starved) {
    auto found = state.sessions_by_queue.find(queue);
    if (found == state.sessions_by_queue.end()) continue;
    found->second->durable->starved = false;
    pump(state, *found->second);
  }
}

bool tell_time_left(State& state, ConnId conn, std::string& publish, WallTime expires) {
  const Connection* to = state.find(conn);
  auto packet = to ? as_publish(publish, to->version) : std::nullopt;
  if (!packet) return true;
  int64_t left = std::max<int64_t>(std::chrono::ceil<Seconds>(expires - state.now.wall).count(), 0);
  if (left == 0 && !packet->dup) return false;
  std::string_view rest = packet->properties.wire();
  for (mqtt::Properties::Item item; mqtt::Properties::next(rest, item);) {
    if (item.id != mqtt::PropertyId::message_expiry_interval) continue;
    uint32_t value = to_big_endian(static_cast<uint32_t>(left));
    auto end = static_cast<size_t>(rest.data() - publish.data());
    std::memcpy(publish.data() + end - sizeof value, &value, sizeof value);
    break;
  }
  return true;
}

void expired(State& state, ConnId conn, std::string_view publish) {
  ++state.counters.dropped_expired;
  Connection* to = state.find(conn);
  auto packet = to ? as_publish(publish, to->version) : std::nullopt;
  if (!packet || packet->qos == Qos::at_most_once) return;
  auto entry = find_inflight(*to->session, packet->packet_id, packet->qos);
  if (entry && (*entry)->phase == Phase::sent) finish(state, *to->session, *entry);
}

void flush_marks(State& state) {
  for (Session* session : state.dirty) {
    session->durable->dirty = false;
    session->durable->appender.flush(state.batch);
    session->durable->remover.flush(state.batch);
  }
  state.dirty.clear();
}

}  // namespace tidegate::broker::outgoing
