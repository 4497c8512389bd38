#include "tests/sim/wills.h"

#include <algorithm>

namespace tidegate::sim {

// Until that is on disk, a crash leaves it open what becomes of the will.
void Wills::changed(const std::string& id) {
  std::erase_if(changed_, [&](const auto& change) { return world_.is_on_disk(change.second); });
  if (auto will = wills_.find(id); will != wills_.end()) {
    changed_.emplace_back(will->second.message, world_.batch());
  }
}

void Wills::connected(Session& session) {
  changed(session.id);
  wills_.erase(session.id);
  const Wishes& wishes = session.link->wishes;
  if (!wishes.will) return;
  wills_[session.id] = {wishes.will, wishes.will_delay};
  changed(session.id);
}

void Wills::said_goodbye(Session& session) {
  changed(session.id);
  wills_.erase(session.id);
}

void Wills::disconnected(Session& session) {
  wait_or_fire(session);
}

void Wills::wait_or_fire(const Session& session) {
  auto found = wills_.find(session.id);
  if (found == wills_.end()) return;
  uint32_t delay = std::min(found->second.delay, session.expiry);
  if (delay == 0) return fire(session.id);
  found->second.due = world_.now() + Seconds{delay};
  found->second.due_since = world_.batch();
}

void Wills::fire(const std::string& id) {
  auto found = wills_.find(id);
  if (found == wills_.end()) return;
  changed(id);
  Message& message = *found->second.message;
  wills_.erase(found);
  publish_(message);
}

void Wills::time_passed() {
  std::vector<std::string> due;
  for (const auto& [id, will] : wills_) {
    if (will.due <= world_.now()) due.push_back(id);
  }
  for (const std::string& id : due) fire(id);
}

void Wills::crashed() {
  for (auto [message, batch] : changed_) {
    if (!world_.is_on_disk(batch)) world_.wild_topics.insert(message->topic);
  }
  changed_.clear();
  for (auto& [id, will] : wills_) {  // whether its delay begins anew depends on what of it is on disk
    if (!world_.is_on_disk(will.due_since)) world_.wild_topics.insert(will.message->topic);
    will.due_since = {};
  }
  std::erase_if(wills_, [&](const auto& will) { return world_.wild_topics.contains(will.second.message->topic); });
}

void Wills::restarted() {
  std::vector<std::string> ids;
  for (const auto& [id, will] : wills_) ids.push_back(id);
  for (const std::string& id : ids) {
    const Session* session = world_.find(id);
    if (!session) {
      fire(id);
    } else if (session->unknown) {
      world_.wild_topics.insert(wills_[id].message->topic);
      wills_.erase(id);
    } else if (wills_[id].due == Instant::never()) {
      wait_or_fire(*session);
    } else if (wills_[id].due <= world_.now()) {
      fire(id);
    }
  }
}

}  // namespace tidegate::sim
