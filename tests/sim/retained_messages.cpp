#include "tests/sim/retained_messages.h"

#include <algorithm>

#include "tests/sim/deliveries.h"
#include "tests/sim/topic_rules.h"

namespace tidegate::sim {

void RetainedMessages::taken(const Take& take) {
  if (!take.retained) return;
  Versions& versions = by_topic_[take.message.topic];
  auto is_base = [&](const Version& v) { return v.sure && world_.is_on_disk(v.put_in); };
  auto base = std::find_if(versions.rbegin(), versions.rend(), is_base);
  if (base != versions.rend()) versions.erase(versions.begin(), base.base() - 1);
  if (versions.empty()) versions.push_back({});
  bool may_be_a_repeat = take.after_crash && take.message.qos == 2;
  versions.push_back({&take.message, take.expires, world_.batch(), !may_be_a_repeat, may_be_a_repeat});
}

void RetainedMessages::acknowledged(const Message& message) {
  for (Version& version : by_topic_[message.topic]) {
    if (version.message != &message || version.may_be_a_repeat) continue;
    version.sure = true;
    version.put_in = {};
    return;
  }
}

void RetainedMessages::crashed() {
  for (auto& [topic, versions] : by_topic_) {
    for (Version& version : versions) {
      version.sure &= world_.is_on_disk(version.put_in);
      version.put_in = {};
    }
  }
}

void RetainedMessages::subscribed(Session& session, const std::string& filter, bool is_new) {
  const Subscription& subscription = session.subscriptions[filter];
  if (is_of_group(filter) || subscription.retain_handling == mqtt::RetainHandling::never) return;
  if (subscription.retain_handling == mqtt::RetainHandling::send_if_new && !is_new) return;
  for (const auto& [topic, versions] : by_topic_) {
    if (!matches(filter, topic) || versions.empty()) continue;
    auto last_sure = std::find_if(versions.rbegin(), versions.rend(), [](const Version& v) { return v.sure; });
    bool is_certain = last_sure == versions.rbegin();
    auto first_possible = last_sure == versions.rend() ? versions.begin() : last_sure.base() - 1;
    for (auto version = first_possible; version != versions.end(); ++version) {
      if (!version->message || version->message->payload.empty() || version->expires <= world_.now()) continue;
      Owed owed;
      owed.message = version->message;
      owed.origin = Origin::retained;
      owed.qos = std::min(subscription.qos, version->message->qos);
      owed.retain = true;
      if (subscription.id != 0) owed.subscription_ids = {subscription.id};
      owed.expires = version->expires;
      owed.required = is_certain && !(is_large(*version->message) && session.spares_large);
      owed.owed_in = world_.batch();
      owed.since_link = session.links;
      session.owed.push_back(owed);
    }
  }
}

}  // namespace tidegate::sim
