#include "tests/sim/judge.h"

#include <algorithm>
#include <utility>

#include "tests/sim/expiry.h"
#include "tests/sim/limits.h"
#include "tests/sim/order.h"
#include "tests/sim/retained_messages.h"

namespace tidegate::sim {

using mqtt::PacketType;

Judge::Judge(World& world) : world_(world) {
  auto add = [this](auto checker) {
    auto* plain = checker.get();
    checkers_.push_back(std::move(checker));
    return plain;
  };
  add(std::make_unique<Limits>(world));
  wills_ = add(std::make_unique<Wills>(world, [this](Message& will) { publish(will, will.retain); }));
  deliveries_ = add(std::make_unique<Deliveries>(world));
  groups_ = add(std::make_unique<SharedGroups>(world));
  add(std::make_unique<RetainedMessages>(world));
  add(std::make_unique<Order>(world));
  add(std::make_unique<Expiry>(world));
  world.h.watcher = this;
}

// --- what clients do ------------------------------------------------------------------------------------

void Judge::will_connect(const std::string& id, const Wishes& wishes) {
  peers_[id].wishes = wishes;
  Session* session = world_.find(id);
  if (!session || !session->link) return;
  session->link->abandoned = true;
  for (Owed& owed : session->owed) owed.required &= owed.qos > 0;
}

void Judge::will_publish(const std::string& id, uint16_t packet_id, Message& message) {
  (packet_id == 0 ? peers_[id].unacknowledged : peers_[id].messages[packet_id]) = &message;
}

void Judge::will_say_goodbye(const std::string& id, const mqtt::Disconnect& packet,
                             std::optional<uint32_t> new_expiry) {
  Link& link = *world_.find(id)->link;
  link.goodbye = packet;
  link.new_expiry = new_expiry;
}

void Judge::will_cut(const std::string& id) {
  Session* session = world_.find(id);
  if (session && session->link && !session->link->abandoned) session->link->cut = true;
}

void Judge::has_sent(const test::Client& client) {
  Session* session = world_.find(client.id());
  if (!session || !session->link || session->link->abandoned) return;
  session->link->last_sent = world_.now();
}

void Judge::has_read(const test::Client& client) {
  Session* session = world_.find(client.id());
  if (session && session->link && !session->link->abandoned) session->link->was_held |= client.is_held();
}

bool Judge::must_begin_anew(const std::string& id) {
  const Session* session = world_.find(id);
  return session && session->unknown;
}

// --- what the broker does with it -----------------------------------------------------------------------

void Judge::change(Session& session) {
  if (session.kept) session.changed_in = world_.batch();
}

void Judge::connected(std::string_view client_id) {
  auto peer = peers_.find(client_id);
  if (peer == peers_.end()) return;
  const Wishes& wishes = peer->second.wishes;
  Session* session = world_.find(client_id);
  if (session && session->link) world_.fault("session: " + session->id + " has two connections");
  if (session && wishes.clean) end(*session), session = nullptr;
  bool present = session != nullptr;
  if (!session) {
    session = &world_.sessions[peer->first];
    session->id = peer->first;
    session->serial = ++sessions_;
  }
  session->expiry = wishes.session_expiry;
  session->expires = Instant::never();
  session->kept |= wishes.session_expiry > 0;
  ++session->links;
  session->link = Link{wishes, present, world_.now()};
  change(*session);
  for (auto& checker : checkers_) checker->connected(*session);
}

void Judge::disconnected(std::string_view client_id, std::string_view why) {
  Session* session = world_.find(client_id);
  if (!session || !session->link) return;
  Link link = std::move(*session->link);
  session->link.reset();
  Millis silent = world_.now() - link.last_sent;
  bool timed_out = link.wishes.keep_alive > 0 && silent >= Millis{link.wishes.keep_alive * 1500};
  bool refused = link.was_held && link.wishes.version != test::v5;
  if (!link.goodbye && !link.cut && !link.abandoned && !timed_out && !refused) {
    world_.fault("session: " + session->id + " was disconnected without a reason: " + std::string(why));
  }
  bool changes_expiry = link.new_expiry && *link.new_expiry != session->expiry;
  if (link.new_expiry) session->expiry = *link.new_expiry;
  if (link.goodbye && link.goodbye->reason == mqtt::ReasonCode::success) wills_->said_goodbye(*session);
  for (auto& checker : checkers_) checker->disconnected(*session);
  if (session->expiry == 0) return end(*session);
  if (session->expiry != test::forever) session->expires = world_.now() + Seconds{session->expiry};
  if (session->expiry != test::forever || changes_expiry) change(*session);
}

void Judge::end(Session& session) {
  for (auto& checker : checkers_) checker->session_ends(session);
  if (session.kept) {
    auto& ended = ended_[session.id];
    if (world_.is_on_disk(ended.batch)) ended.groups.clear();
    ended.batch = world_.batch();
    for (const auto& [filter, terms] : session.groups) {
      auto& all = ended.groups[filter];
      all.insert(all.end(), terms.begin(), terms.end());
    }
  }
  world_.sessions.erase(session.id);
}

void Judge::publish(Message& message, bool retained) {
  bool again = message.takes++ > 0;
  Take take{message, ++takes_};
  if (!again) message.first_place = take.place;
  message.latest_place = take.place;
  if (message.expiry_seconds) take.expires = world_.now() + Seconds{*message.expiry_seconds};
  take.after_crash = again && message.epoch != world_.epoch;
  take.retained = retained;
  message.epoch = world_.epoch;
  for (auto& checker : checkers_) checker->taken(take);
}

void Judge::taken(test::Client& client, const mqtt::Packet& packet, bool refused) {
  auto peer = peers_.find(client.id());
  Session* session = world_.find(client.id());
  if (peer == peers_.end() || !session || !session->link) return;
  if (auto* p = std::get_if<mqtt::Publish>(&packet)) taken(*session, peer->second, *p, refused);
  if (auto* p = std::get_if<mqtt::Subscribe>(&packet)) taken(*session, peer->second, *p, refused);
  if (auto* p = std::get_if<mqtt::Unsubscribe>(&packet)) taken(*session, peer->second, *p, refused);
  if (auto* p = std::get_if<mqtt::Ack>(&packet)) taken(*session, *p);
}

void Judge::taken(Session&, Peer& peer, const mqtt::Publish& packet, bool refused) {
  if (packet.qos == Qos::at_most_once) return publish(*peer.unacknowledged, packet.retain && !refused);
  Message& message = *peer.messages[packet.packet_id];
  message.refused = refused;
  bool is_repeat = message.qos == 2 && message.takes > 0 && message.epoch == world_.epoch;
  if (!refused && !is_repeat) publish(message, packet.retain);
}

void Judge::taken(Session& session, Peer& peer, const mqtt::Subscribe& packet, bool refused) {
  const mqtt::Subscribe::Entry& entry = packet.entries.front();
  auto qos = static_cast<int>(entry.options.qos);
  bool is_5 = session.link->wishes.version == test::v5;
  peer.granted = static_cast<char>(!refused ? qos : is_5 ? 0x97 : 0x80);
  if (refused) return;
  std::string filter(entry.filter);
  auto id = packet.properties.integer(mqtt::PropertyId::subscription_identifier).value_or(0);
  bool is_new = !session.subscriptions.contains(filter);
  session.subscriptions[filter] = {qos, entry.options.no_local, entry.options.retain_as_published,
                                   entry.options.retain_handling, id};
  change(session);
  for (auto& checker : checkers_) checker->subscribed(session, filter, is_new);
}

void Judge::taken(Session& session, Peer& peer, const mqtt::Unsubscribe& packet, bool refused) {
  std::string filter(packet.filters.front());
  auto found = session.subscriptions.find(filter);
  bool existed = found != session.subscriptions.end();
  peer.granted = static_cast<char>(refused ? 0x80 : existed ? 0 : 0x11);
  if (refused || !existed) return;
  session.subscriptions.erase(found);
  change(session);
  for (auto& checker : checkers_) checker->unsubscribed(session, filter);
}

void Judge::taken(Session& session, const mqtt::Ack& packet) {
  auto found = session.link->unanswered.find(packet.packet_id);
  session.link->answered_early |= packet.type != PacketType::pubrel && found == session.link->unanswered.end();
  if (packet.type == PacketType::pubrec && found != session.link->unanswered.end()) {
    session.link->answered_early |= std::exchange(found->second.has_pubrec, true);  // a PUBREL follows each of them
  }
  int qos = packet.type == PacketType::puback ? 1 : packet.type == PacketType::pubcomp ? 2 : 0;
  if (found == session.link->unanswered.end() || found->second.qos != qos) return;
  if (Owed* owed = found->second.owed) {
    owed->answered = true;
    owed->answered_in = world_.batch();
  }
  session.link->unanswered.erase(found);
}

// --- what it says ---------------------------------------------------------------------------------------

void Judge::received(const std::string& id, const mqtt::Packet& packet, size_t bytes) {
  Session* session = world_.find(id);
  if (!session || !session->link || session->link->abandoned) {
    return world_.fault("session: " + id + " is answered without being connected");
  }
  for (auto& checker : checkers_) checker->received(*session, packet, bytes);
  if (auto* p = std::get_if<mqtt::Connack>(&packet)) received(*session, *p);
  if (auto* p = std::get_if<mqtt::Publish>(&packet)) received(*session, *p);
  if (auto* p = std::get_if<mqtt::Ack>(&packet)) {
    if (p->type == PacketType::pubrel) {
      session->receipts.erase(p->packet_id);
      // Of a message that came by an earlier connection, if of any: it takes its room in the window until PUBCOMP.
      if (!mqtt::is_error(p->reason)) session->link->unanswered[p->packet_id] = {2, nullptr, true};
    }
    received(peers_[id], *p);
  }
  if (auto* p = std::get_if<mqtt::Suback>(&packet)) {
    bool says_nothing = p->type == PacketType::unsuback && session->link->wishes.version != test::v5;
    if (p->codes != (says_nothing ? std::string() : std::string(1, peers_[id].granted))) {
      world_.fault("session: " + id + " is told another reason code in " + test::describe(packet));
    }
    session->changed_in = {};  // promised
  }
}

void Judge::received(Session& session, const mqtt::Connack& packet) {
  bool expected = session.link->session_present && session.link->wishes.version != test::v3;
  if (packet.session_present != expected) {
    world_.fault("session: " + session.id + (expected ? " has lost its session" : " has a session of nobody's"));
  }
  session.changed_in = {};  // promised
}

void Judge::received(Session& session, const mqtt::Publish& packet) {
  Link& link = *session.link;
  std::string topic(packet.topic);
  if (auto alias = packet.properties.integer(mqtt::PropertyId::topic_alias)) {
    if (!topic.empty()) link.aliases[*alias] = topic;
    topic = link.aliases[*alias];
  }
  bool qos2 = packet.qos == Qos::exactly_once;
  if (auto receipt = session.receipts.find(packet.packet_id); qos2 && receipt != session.receipts.end()) {
    link.unanswered[packet.packet_id] = {2};
    bool same = !receipt->second || (receipt->second->topic == topic && receipt->second->payload == packet.payload);
    if (!packet.dup || !same) world_.fault("delivery: " + session.id + " got a packet id again before its PUBREL");
    return;
  }
  bool is_judged = (topic.starts_with("s/") || topic.starts_with("w/")) && !world_.wild_topics.contains(topic);
  Owed* owed = nullptr;
  if (is_judged) {
    owed = deliveries_->claim(session, packet, topic);
    if (!owed) owed = groups_->claim(session, packet, topic);
    if (!owed) {
      return world_.fault("delivery: " + session.id + " is not owed " + test::describe(packet) + " on " + topic +
                          Deliveries::what_is_owed(session, packet, topic));
    }
  }
  if (packet.qos == Qos::at_least_once) link.unanswered[packet.packet_id] = {1, owed};
  if (qos2) link.unanswered[packet.packet_id] = {2};
  if (qos2) session.receipts[packet.packet_id] = owed ? owed->message : nullptr;
  if (!owed) return;
  for (auto& checker : checkers_) checker->arrived(session, {packet, topic, *owed});
  owed->got_on = session.links;
  if (owed->origin != Origin::retained || !owed->required) {  // one that need not come may be another in the same form
    int& qos = session.received[owed->message];
    if (owed->origin != Origin::retained) qos = std::max(qos, owed->qos);
  }
  if (packet.qos != Qos::at_least_once) {
    session.owed.remove_if([&](const Owed& other) { return &other == owed; });
  }
}

void Judge::received(Peer& peer, const mqtt::Ack& packet) {
  if (packet.type != PacketType::puback && packet.type != PacketType::pubrec) return;
  auto found = peer.messages.find(packet.packet_id);
  if (found == peer.messages.end()) return world_.fault("delivery: an acknowledgement of nothing");
  Message& message = *found->second;
  if (mqtt::is_error(packet.reason) != message.refused) {
    return world_.fault("delivery: wrongly acknowledged is " + words(message));
  }
  if (message.refused) return;
  message.acknowledged = true;
  for (auto& checker : checkers_) checker->acknowledged(message);
}

// --- what happens to both -------------------------------------------------------------------------------

// Before the broker starts again: the numbers of its batches begin anew.
void Judge::crashed() {
  ++world_.epoch;
  std::erase_if(ended_, [&](const auto& end) { return world_.is_on_disk(end.second.batch); });
  for (auto at = world_.sessions.begin(); at != world_.sessions.end();) {
    Session& session = at->second;
    bool in_doubt = session.kept && !world_.is_on_disk(session.changed_in);
    bool was_connected = session.link.has_value();
    session.link.reset();
    session.changed_in = {};
    if (in_doubt || session.unknown) {
      for (auto& [filter, terms] : session.groups) ended_[session.id].groups[filter] = terms;
      ended_[session.id].batch = {};
    } else if (!session.kept || session.expiry == 0) {
      at = world_.sessions.erase(at);
      continue;
    } else if (was_connected && session.expiry != test::forever) {
      session.expires = world_.now() + Seconds{session.expiry};
      session.changed_in = BatchNumber{1};  // the restart puts on record since when
    }
    ++at;
  }
  for (auto& [id, ended] : ended_) {
    Session unknown;
    unknown.id = id;
    unknown.kept = unknown.unknown = true;
    unknown.groups = std::move(ended.groups);
    world_.sessions[id] = std::move(unknown);
  }
  ended_.clear();
  for (auto& checker : checkers_) checker->crashed();
}

void Judge::restarted() {
  world_.turn_is_over = true;
  for (auto& checker : checkers_) checker->restarted();
  world_.turn_is_over = false;
}

void Judge::time_passed() {
  world_.turn_is_over = true;
  for (auto& checker : checkers_) checker->time_passed();
  std::vector<Session*> expired;
  for (auto& [id, session] : world_.sessions) {
    if (session.expires <= world_.now()) expired.push_back(&session);
    if (!session.link || session.link->was_held || session.link->wishes.keep_alive == 0) continue;
    if (world_.now() - session.link->last_sent >= Millis{session.link->wishes.keep_alive * 1500}) {
      world_.fault("session: " + id + " is silent and stays connected");
    }
  }
  for (Session* session : expired) end(*session);
  world_.turn_is_over = false;
}

void Judge::at_rest() {
  for (auto& checker : checkers_) checker->at_rest();
}

}  // namespace tidegate::sim
