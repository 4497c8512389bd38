#include "gateway/broker/retained.h"

namespace tidegate::broker {
namespace {

bool expires(const Message& message) {
  return message.expires != WallTime::never();
}

}  // namespace

void Retained::keep(MessagePtr message) {
  bytes_ += counted_bytes(*message);
  expiring_ += expires(*message);
  auto [place, is_new] = by_topic_.try_emplace(message->topic);
  if (!is_new) {
    bytes_ -= counted_bytes(*place->second);
    expiring_ -= expires(*place->second);
  }
  place->second = std::move(message);
}

bool Retained::remove(std::string_view topic) {
  auto found = by_topic_.find(topic);
  if (found == by_topic_.end()) return false;
  bytes_ -= counted_bytes(*found->second);
  expiring_ -= expires(*found->second);
  by_topic_.erase(found);
  return true;
}

std::vector<std::string> Retained::expired(WallTime now) const {
  std::vector<std::string> topics;
  for (const auto& [topic, message] : by_topic_)
    if (message->expires <= now) topics.push_back(topic);
  return topics;
}

MessagePtr Retained::find(std::string_view topic) const {
  auto found = by_topic_.find(topic);
  return found == by_topic_.end() ? nullptr : found->second;
}

void Retained::for_each(const TopicFilter& filter, const std::function<void(const MessagePtr&)>& visit) const {
  if (!filter.has_wildcard()) {
    if (MessagePtr message = find(filter.text())) visit(message);
    return;
  }
  // Only topics that begin as the filter does up to its first wildcard can match; "a/#" matches "a" as well.
  std::string_view literal = std::string_view(filter.text()).substr(0, filter.text().find_first_of("+#"));
  if (literal.ends_with('/')) literal.remove_suffix(1);
  for (auto at = by_topic_.lower_bound(literal); at != by_topic_.end() && at->first.starts_with(literal); ++at) {
    if (filter.matches(*TopicName::parse(at->first))) visit(at->second);
  }
}

}  // namespace tidegate::broker
