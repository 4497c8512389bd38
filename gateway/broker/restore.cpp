#include "gateway/broker/restore.h"

#include <algorithm>

#include "gateway/base/bytes.h"
#include "gateway/broker/publish.h"
#include "gateway/broker/sessions.h"
#include "gateway/broker/shared.h"
#include "gateway/broker/subscription_options.h"
#include "gateway/broker/wills.h"
#include "store/keys.h"
#include "store/records.h"

namespace tidegate::broker {
namespace {

class Restore {
 public:
  Restore(State& state, store::Store& store) : state_(state), store_(store) {}

  Result<Restored> run() {
    using Read = bool (Restore::*)(std::string_view, std::string_view);
    // Sessions first: the rest refers to them.
    const std::pair<std::string, Read> kinds[] = {{store::next_queue_id_key(), &Restore::next_queue_id},
                                                  {store::session_key(""), &Restore::session},
                                                  {"E", &Restore::estate},
                                                  {"L", &Restore::tail},
                                                  {"H", &Restore::head},
                                                  {"U", &Restore::subscription},
                                                  {"R", &Restore::receipt},
                                                  {"I", &Restore::inflight},
                                                  {store::retained_key(""), &Restore::retained},
                                                  {store::will_key(""), &Restore::will}};
    for (const auto& [prefix, read] : kinds) {
      auto visit = [&, read = read](std::string_view key, std::string_view value) {
        if (!(this->*read)(key.substr(1), value)) ++result_.unreadable;
        return true;
      };
      if (auto scanned = store_.scan(prefix, visit); !scanned) return tl::unexpected(scanned.error());
    }
    for (auto& [queue, session] : state_.sessions_by_queue) settle(*session);
    // The stop ended their connections: their time runs from here, over further stops too.
    for (Session* session : cut_off_) sessions::store_record(state_, *session, false);
    end_expired();
    return result_;
  }

 private:
  bool next_queue_id(std::string_view, std::string_view value) {
    auto id = store::decode_u32(value);
    if (id) state_.next_queue_id = std::max(state_.next_queue_id, *id);
    return id.has_value();
  }

  bool session(std::string_view client_id, std::string_view value) {
    auto record = store::decode_session(value);
    if (!record || state_.sessions_by_queue.contains(record->queue)) return false;
    Session& session = sessions::create(state_, std::string(client_id));
    session.durable = std::make_unique<Durable>(
        Durable{store::QueueAppender(record->queue, {}), store::QueueRemover(record->queue, {}), Seq{1}});
    session.queued_messages_max = state_.limits.queued_messages_max;
    session.queued_bytes_max = state_.limits.queued_bytes_max;
    session.expiry_seconds = record->expiry_seconds;
    session.protocol_version = record->protocol_version;
    state_.sessions_by_queue.emplace(record->queue, &session);
    state_.next_queue_id = std::max(state_.next_queue_id, record->queue.value + 1);
    bool was_connected = record->disconnected == WallTime::never();
    // Acknowledgements of any number may have been lost with the last batches, so its window is no bound.
    session.durable->sent_below = was_connected ? Seq{UINT64_MAX} : record->sent_below;
    if (was_connected) cut_off_.push_back(&session);
    if (session.expiry_seconds != 0xFFFFFFFF) {
      Millis gone = was_connected ? Millis{0} : std::max(Millis{0}, state_.now.wall - record->disconnected);
      session.expires = state_.now.mono + (Seconds{session.expiry_seconds} - gone);
      state_.deadlines.add(Deadline::of_client(session.expires, Deadline::Kind::session_expiry, session.client_id));
    }
    ++result_.sessions;
    return true;
  }

  bool estate(std::string_view key, std::string_view value) {
    auto queue = store::decode_u32(value);
    if (!queue || key.size() != sizeof(uint32_t) || *queue != load_big_endian<uint32_t>(key)) return false;
    state_.estates.emplace(QueueId{*queue}, Estate{Seq{1}, Seq{1}, BatchNumber{0}});
    state_.next_queue_id = std::max(state_.next_queue_id, *queue + 1);
    return true;
  }

  Estate* estate_of(std::string_view key) {
    auto found = key.size() == sizeof(uint32_t) ? state_.estates.find(QueueId{load_big_endian<uint32_t>(key)})
                                                : state_.estates.end();
    return found == state_.estates.end() ? nullptr : &found->second;
  }

  Session* by_queue(std::string_view key) {
    if (key.size() < sizeof(uint32_t)) return nullptr;
    auto found = state_.sessions_by_queue.find(QueueId{load_big_endian<uint32_t>(key)});
    return found == state_.sessions_by_queue.end() ? nullptr : found->second;
  }

  bool tail(std::string_view key, std::string_view value) {
    auto tail = store::decode_queue_tail(value);
    Session* session = by_queue(key);
    if (tail && session) session->durable->appender = store::QueueAppender(session->durable->appender.id(), *tail);
    if (Estate* estate = tail ? estate_of(key) : nullptr) estate->end = tail->next;
    return tail.has_value();  // marks of bridges' queues are read by others
  }

  bool head(std::string_view key, std::string_view value) {
    auto head = store::decode_queue_head(value);
    Session* session = by_queue(key);
    if (head && session) session->durable->remover = store::QueueRemover(session->durable->appender.id(), *head);
    if (Estate* estate = head ? estate_of(key) : nullptr) estate->next = head->first;
    return head.has_value();
  }

  bool subscription(std::string_view key, std::string_view value) {
    Session* session = by_queue(key);
    auto record = store::decode_subscription(value);
    auto filter = session ? TopicFilter::parse(key.substr(sizeof(uint32_t))) : std::nullopt;
    if (!record || !filter) return false;
    Subscription subscription{options_from_wire(record->options), record->subscription_id};
    session->subscriptions.insert_or_assign(filter->text(), subscription);
    state_.router.subscribe(*session, *filter, subscription);
    return true;
  }

  bool receipt(std::string_view key, std::string_view) {
    Session* session = by_queue(key);
    if (!session || key.size() != sizeof(uint32_t) + sizeof(uint16_t)) return false;
    if (!session->receipts) session->receipts = std::make_unique<std::vector<mqtt::PacketId>>();
    session->receipts->push_back(load_big_endian<uint16_t>(key.substr(sizeof(uint32_t))));  // keys come sorted
    return true;
  }

  bool inflight(std::string_view key, std::string_view value) {
    Session* session = by_queue(key);
    auto record = store::decode_inflight(value);
    if (!session || !record || key.size() != sizeof(uint32_t) + sizeof(uint16_t)) return false;
    if (!session->outgoing) session->outgoing = std::make_unique<Outgoing>();
    Inflight entry{load_big_endian<uint16_t>(key.substr(sizeof(uint32_t))),
                   Qos::exactly_once,
                   record->released ? Inflight::Phase::released : Inflight::Phase::sent,
                   false,
                   record->seq,
                   0};
    session->outgoing->inflight.push_back(std::move(entry));
    return true;
  }

  bool retained(std::string_view topic, std::string_view value) {
    auto view = store::decode_message(value);
    if (!view || view->topic != topic || !TopicName::parse(topic)) return false;
    if (view->expires <= state_.now.wall) {
      state_.batch.erase(store::Table::state, store::retained_key(topic));
      return true;
    }
    state_.retained.keep(std::make_shared<const Message>(store::to_message(*view)));
    publish::watch_retained(state_);
    ++result_.retained;
    return true;
  }

  bool will(std::string_view client_id, std::string_view value) {
    auto record = store::decode_will(value);
    if (!record || !TopicName::parse(record->message.topic)) return false;
    auto message = std::make_shared<const Message>(store::to_message(record->message));
    Instant fires = Instant::never();
    if (record->due != WallTime::never()) {  // never before now; all of the delay again if the clock went back
      Millis left = std::min<Millis>(record->due - state_.now.wall, Seconds{record->delay_seconds});
      fires = state_.now.mono + std::max(left, Millis{0});
    }
    state_.restored_wills.emplace_back(client_id, std::make_unique<Will>(Will{message, record->delay_seconds, fires}));
    ++result_.wills;
    return true;
  }

  // Puts a session's parts in order after all were read.
  void settle(Session& session) {
    Durable& durable = *session.durable;
    const store::QueueHead& head = durable.remover.head();
    if (durable.appender.tail().next < head.first) {  // a damaged store lost the tail: never append below the head
      durable.appender = store::QueueAppender(durable.appender.id(), {head.first, head.bytes_out});
    }
    durable.next_read = head.first;
    result_.session_messages += store::size_of(durable.appender.tail(), head).messages;
    if (session.outgoing) {
      auto& inflight = session.outgoing->inflight;
      std::sort(inflight.begin(), inflight.end(), [](const Inflight& a, const Inflight& b) { return a.seq < b.seq; });
      if (!inflight.empty()) session.outgoing->last_packet_id = inflight.back().packet_id;
    }
    durable.sent_below = std::min(durable.sent_below, durable.appender.tail().next);
  }

  void end_expired() {
    std::vector<Session*> expired;
    for (auto& [id, session] : state_.sessions) {
      if (session->expires <= state_.now.mono) expired.push_back(session.get());
    }
    for (Session* session : expired) {
      ++state_.counters.sessions_expired;
      sessions::end(state_, *session);
    }
  }

  State& state_;
  store::Store& store_;
  Restored result_;
  std::vector<Session*> cut_off_;  // connected when they were last written
};

}  // namespace

void fire_restored_wills(State& state) {
  for (auto& [client_id, will] : std::exchange(state.restored_wills, {})) {
    if (Session* session = sessions::find(state, client_id)) {
      wills::restored(state, *session, std::move(will));
    } else {
      Session& gone = sessions::create(state, client_id);
      gone.will = std::move(will);
      sessions::end(state, gone);
    }
  }
  shared::settle_estates(state);
}

Result<Restored> restore(State& state, store::Store& store) {
  return Restore(state, store).run();
}

}  // namespace tidegate::broker
