#include "gateway/broker/shared.h"

#include <algorithm>

#include "gateway/broker/authorize.h"
#include "gateway/broker/outgoing.h"
#include "store/keys.h"
#include "store/queue.h"

namespace tidegate::broker::shared {
namespace {

constexpr Seconds read_again_after{1};  // a read that failed
constexpr store::ReadLimit read_limit{100, 1u << 20};

using outgoing::Readiness;

// The member whose turn it is; nullptr: nobody can have the message.
const Router::Member* next_member(State& state, Router::Group& group, const store::MessageView& message) {
  const size_t count = group.members.size();
  Readiness best = Readiness::never;
  size_t chosen = 0;
  for (size_t i = 0; i < count && best != Readiness::now; ++i) {
    size_t at = (group.next + i) % count;
    const Router::Member& member = group.members[at];
    if (!authorize::may_read(*member.session, message.topic)) continue;
    Qos qos = lower(member.subscription.options.qos, message.qos);
    Readiness readiness = outgoing::readiness(state, *member.session, qos);
    if (readiness >= best) continue;
    best = readiness;
    chosen = at;
  }
  if (best == Readiness::never) return nullptr;
  group.next = (chosen + 1) % count;
  return &group.members[chosen];
}

// The message of an ended session to another member of the group of that filter. `message` may bear the subscription
// identifiers of the one before.
void pass_on(State& state, std::string_view filter, store::MessageView message) {
  Router::Group* group = state.router.find_group(filter);
  const Router::Member* heir = group ? next_member(state, *group, message) : nullptr;
  if (!heir) return;
  const Subscription& subscription = heir->subscription;
  std::string properties, ids;
  std::string_view rest = message.properties;
  for (mqtt::Properties::Item item; mqtt::Properties::next(rest, item);) {
    if (item.id != mqtt::PropertyId::subscription_identifier) properties.append(item.wire);
  }
  message.properties = properties;
  if (subscription.id != 0) {
    mqtt::PropertyWriter(ids).integer(mqtt::PropertyId::subscription_identifier, subscription.id);
  }
  message.share = {};
  Publication publication(message, state.now.wall);
  if (publication.is_expired()) {
    ++state.counters.dropped_expired;
    return;
  }
  outgoing::Terms terms{lower(subscription.options.qos, message.qos),
                        message.retain && subscription.options.retain_as_published, ids, false, &group->filter};
  outgoing::deliver(state, *heir->session, publication, terms);
}

void read_on(State& state, QueueId queue, Estate& estate) {
  if (estate.reading || !state.gate.is_committed(estate.read_after)) return;
  estate.reading = true;
  state.out.read_queue(queue, estate.next, estate.end, read_limit);
}

void close_estate(State& state, QueueId queue) {
  store::erase_queue(state.batch, queue);
  state.batch.erase(store::Table::state, store::estate_key(queue));
  state.estates.erase(queue);
}

}  // namespace

void choose(State& state, const store::MessageView& message) {
  Router::Matches& matches = state.router.last_matches();
  for (Router::Group* group : matches.groups) {
    const Router::Member* member = next_member(state, *group, message);
    if (!member) continue;
    const Subscription& subscription = member->subscription;
    matches.sessions.push_back({member->session, subscription.options.qos, subscription.options.retain_as_published,
                                subscription.id, &group->filter});
  }
}

void hand_over(State& state, Session& session) {
  if (!session.outgoing || !state.router.has_groups()) return;
  const Outgoing& out = *session.outgoing;
  for (const Inflight& entry : out.inflight) {
    if (!entry.of_group || entry.phase != Inflight::Phase::sent) continue;
    pass_on(state, *entry.of_group->filter, store::view_of(*entry.of_group->message));
  }
  for (const Waiting& waiting : out.waiting) {
    if (!waiting.group) continue;
    store::MessageView message = store::view_of(*waiting.message);
    message.qos = waiting.qos;
    message.retain = waiting.retain;
    pass_on(state, *waiting.group, message);
  }
}

bool leave_estate(State& state, Session& session) {
  Durable& durable = *session.durable;
  if (!state.router.has_groups()) return false;
  if (store::size_of(durable.appender.tail(), durable.remover.head()).messages == 0) return false;
  QueueId queue = durable.appender.id();
  if (session.outgoing) {
    for (const Inflight& entry : session.outgoing->inflight) {
      if (entry.qos != Qos::exactly_once || entry.phase != Inflight::Phase::sent) continue;
      durable.remover.remove(state.batch, entry.seq, entry.bytes);
    }
  }
  durable.appender.flush(state.batch);
  durable.remover.flush(state.batch);
  state.batch.put(store::Table::state, store::estate_key(queue), store::encode_u32(queue.value));
  Estate estate{durable.remover.head().first, durable.appender.tail().next, state.batch_number, durable.reading,
                durable.reading};
  state.estates.emplace(queue, estate);
  return true;
}

void settle_estates(State& state) {
  for (auto& [queue, estate] : state.estates) read_on(state, queue, estate);
}

bool records_read(State& state, QueueId queue, const std::vector<store::QueueRecord>& records) {
  auto found = state.estates.find(queue);
  if (found == state.estates.end()) return false;
  Estate& estate = found->second;
  estate.reading = false;
  if (std::exchange(estate.stale_read, false)) {
    read_on(state, queue, estate);
    return true;
  }
  for (const store::QueueRecord& record : records) {
    estate.next = Seq{record.seq.value + 1};
    state.batch.erase(store::Table::queue, store::QueueKey(queue, record.seq).view());
    if (!record.message->share.empty()) pass_on(state, record.message->share, store::view_of(*record.message));
  }
  if (records.empty() || estate.next >= estate.end) {
    close_estate(state, queue);
  } else {
    read_on(state, queue, estate);
  }
  return true;
}

bool read_failed(State& state, QueueId queue) {
  auto found = state.estates.find(queue);
  if (found == state.estates.end()) return false;
  found->second.reading = found->second.stale_read = false;
  state.deadlines.add({state.now.mono + read_again_after, Deadline::Kind::estates, {}, nullptr});
  return true;
}

}  // namespace tidegate::broker::shared
