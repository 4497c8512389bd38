#include "tests/sim/shared_groups.h"

#include <algorithm>

#include "tests/sim/deliveries.h"
#include "tests/sim/topic_rules.h"

namespace tidegate::sim {

// Whether somebody is there to have what is shared, and nobody may lose it as QoS 0.
bool SharedGroups::is_certain_of_a_member(const std::string& filter) const {
  bool somebody = false;
  for (const auto& [id, session] : world_.sessions) {
    auto found = session.subscriptions.find(filter);
    if (found == session.subscriptions.end()) continue;
    if (found->second.qos == 0) return false;
    somebody |= session.link || session.kept;
  }
  return somebody;
}

void SharedGroups::give_up(Share& share) {
  share.required = share.by_all_takes = false;
}

void SharedGroups::give_up_if_orphaned(const std::string& filter) {
  if (is_certain_of_a_member(filter)) return;
  for (Share& share : shares_) {
    if (share.filter == filter && !share.came) give_up(share);
  }
}

void SharedGroups::subscribed(Session& session, const std::string& filter, bool) {
  if (!is_of_group(filter)) return;
  session.groups[filter].push_back(session.subscriptions[filter]);
  if (session.expiry == 0) forgetful_.insert(filter);  // it ends by a crash
  give_up_if_orphaned(filter);
}

void SharedGroups::taken(const Take& take) {
  const Message& message = take.message;
  std::set<std::string> filters;
  for (const auto& [id, session] : world_.sessions) {
    for (const auto& [filter, terms] : session.groups) {
      if (!session.unknown && !session.subscriptions.contains(filter)) continue;
      if (matches(topics_of_group(filter), message.topic)) filters.insert(filter);
    }
  }
  for (const std::string& filter : filters) {
    bool required = message.qos > 0 && !is_large(message) && !is_clearing(message) && is_certain_of_a_member(filter);
    if (take.after_crash) {  // as in Deliveries::owe
      for (Share& share : shares_) {
        if (share.message != &message || share.filter != filter) continue;
        share.by_all_takes &= required && !share.came && !message.expiry_seconds;
        share.required = share.by_all_takes;
        share.shared_in = world_.batch();
      }
      required = false;
    }
    Share& share = shares_.emplace_back();
    share.message = &message;
    share.filter = filter;
    share.place = take.place;
    share.expires = take.expires;
    share.required = share.by_all_takes = required;
    share.is_loose = is_clearing(message);
    share.shared_in = world_.batch();
  }
}

bool SharedGroups::can_be(const Share& share, const Session& session, const mqtt::Publish& packet) const {
  if (share.message->payload != packet.payload || (packet.retain && !share.message->retain)) return false;
  if (share.came && !share.is_loose) return false;
  auto terms = session.groups.find(share.filter);
  if (terms == session.groups.end()) return false;
  std::set<uint32_t> ids = subscription_ids(packet);
  auto qos = static_cast<int>(packet.qos);
  return std::any_of(terms->second.begin(), terms->second.end(), [&](const Subscription& s) {
    int most = std::min(s.qos, share.message->qos);
    bool right_qos = share.moved || share.is_loose ? qos <= most : qos == most;
    return right_qos && ids == (s.id == 0 ? std::set<uint32_t>{} : std::set<uint32_t>{s.id});
  });
}

Owed* SharedGroups::claim(Session& session, const mqtt::Publish& packet, const std::string& topic) {
  auto share = std::find_if(shares_.begin(), shares_.end(),
                            [&](const Share& s) { return s.message->topic == topic && can_be(s, session, packet); });
  if (share == shares_.end()) return nullptr;
  share->came = true;
  share->holder = session.id;
  share->ids = subscription_ids(packet);
  Owed owed;
  owed.message = share->message;
  owed.origin = Origin::group;
  owed.place = share->place;
  owed.qos = static_cast<int>(packet.qos);
  owed.retain = packet.retain;
  owed.subscription_ids = share->ids;
  owed.expires = share->expires;
  owed.required = false;
  return &session.owed.emplace_back(std::move(owed));
}

void SharedGroups::connected(Session& session) {
  if (session.expiry > 0) return;  // it lasts over a crash
  for (const auto& [filter, terms] : session.groups) forgetful_.insert(filter);
}

void SharedGroups::session_ends(Session& session) {
  std::map<std::string, Subscription> left;
  left.swap(session.subscriptions);  // it is a member no more
  for (const auto& [filter, terms] : session.groups) leave(session, filter);
  left.swap(session.subscriptions);
}

void SharedGroups::leave(const Session& session, const std::string& filter) {
  restless_.insert(filter);
  const std::vector<Subscription>& terms = session.groups.at(filter);
  bool has_heir = is_certain_of_a_member(filter);
  bool took_qos2 = std::any_of(terms.begin(), terms.end(), [](const Subscription& s) { return s.qos == 2; });
  for (Share& share : shares_) {
    if (share.filter != filter) continue;
    auto unanswered = std::find_if(session.owed.begin(), session.owed.end(), [&](const Owed& owed) {
      return owed.origin == Origin::group && owed.place == share.place && owed.qos == 1 && !owed.answered &&
             owed.subscription_ids == share.ids;
    });
    bool hands_on = share.came && share.holder == session.id && unanswered != session.owed.end();
    if (share.came && !hands_on) continue;
    if (hands_on && unanswered->answer_is_in_doubt) give_up(share);
    share.came = false;
    share.moved = true;
    share.holder.clear();
    if (!has_heir || (took_qos2 && share.message->qos == 2)) give_up(share);
  }
}

// Sessions that nobody knows of any more may be there still, and hand on what they have when they end.
void SharedGroups::crashed() {
  for (const auto& [id, session] : world_.sessions) {
    if (!session.unknown) continue;
    for (const auto& [filter, terms] : session.groups) leave(session, filter);
  }
  for (Share& share : shares_) {
    share.required &= share.message->acknowledged || world_.is_on_disk(share.shared_in);
    if (forgetful_.contains(share.filter) || !is_certain_of_a_member(share.filter)) give_up(share);
    share.is_loose |= restless_.contains(share.filter) || forgetful_.contains(share.filter);
    share.shared_in = {};
  }
}

void SharedGroups::at_rest() {
  for (const Share& share : shares_) {
    if (!share.required || share.came || share.expires <= world_.now()) continue;
    if (world_.wild_topics.contains(share.message->topic)) continue;
    bool other_copy_came = std::any_of(shares_.begin(), shares_.end(), [&](const Share& other) {
      return other.message == share.message && other.filter == share.filter && other.came;
    });
    if (!other_copy_came) world_.fault("group: nobody of " + share.filter + " got " + words(*share.message));
  }
}

}  // namespace tidegate::sim
