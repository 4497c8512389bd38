#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PacketType;
using mqtt::PropertyId;

std::string hex(uint8_t value) {
  static constexpr char digits[] = "0123456789abcdef";
  return {digits[value >> 4], digits[value & 15]};
}

std::string number(uint16_t id) {
  return " #" + std::to_string(id);
}

std::string reason(mqtt::ReasonCode code) {
  return code == mqtt::ReasonCode::success ? "" : " 0x" + hex(static_cast<uint8_t>(code));
}

std::string publish(const mqtt::Publish& p) {
  std::string text = "publish " + std::string(p.topic) + "=";
  text += p.payload.size() <= 40 ? std::string(p.payload) : "<" + std::to_string(p.payload.size()) + " bytes>";
  if (p.qos != Qos::at_most_once) text += " q" + std::to_string(static_cast<int>(p.qos)) + number(p.packet_id);
  if (p.dup) text += " dup";
  if (p.retain) text += " retain";
  std::string ids;
  std::string_view rest = p.properties.wire();
  for (mqtt::Properties::Item item; mqtt::Properties::next(rest, item);) {
    switch (item.id) {
      case PropertyId::message_expiry_interval: text += " expiry=" + std::to_string(item.number); break;
      case PropertyId::subscription_identifier:
        ids += (ids.empty() ? " ids=" : ",") + std::to_string(item.number);
        break;
      case PropertyId::user_property: text += " " + std::string(item.text) + ":" + std::string(item.second); break;
      case PropertyId::topic_alias: text += " alias=" + std::to_string(item.number); break;
      case PropertyId::content_type: text += " type=" + std::string(item.text); break;
      default: text += " property=" + hex(static_cast<uint8_t>(item.id)); break;
    }
  }
  return text + ids;
}

std::string ack(const mqtt::Ack& a) {
  static constexpr const char* names[] = {"puback", "pubrec", "pubrel", "pubcomp"};
  return names[static_cast<int>(a.type) - static_cast<int>(PacketType::puback)] + number(a.packet_id) +
         reason(a.reason);
}

std::string subscribe(const mqtt::Subscribe& s) {
  std::string text = "subscribe" + number(s.packet_id);
  for (const auto& [filter, options] : s.entries) {
    text += " " + std::string(filter) + " q" + std::to_string(static_cast<int>(options.qos));
    if (options.no_local) text += " no-local";
    if (options.retain_as_published) text += " as-published";
    text += " handling=" + std::to_string(static_cast<int>(options.retain_handling));
  }
  if (auto id = s.properties.integer(PropertyId::subscription_identifier)) text += " id=" + std::to_string(*id);
  return text;
}

std::string unsubscribe(const mqtt::Unsubscribe& u) {
  std::string text = "unsubscribe" + number(u.packet_id);
  for (std::string_view filter : u.filters) text += " " + std::string(filter);
  return text;
}

std::string connect(const mqtt::Connect& c) {
  std::string text = c.clean_start ? "connect clean" : "connect";
  if (c.keep_alive_seconds != 0) text += " keep-alive=" + std::to_string(c.keep_alive_seconds);
  if (auto expiry = c.properties.integer(PropertyId::session_expiry_interval)) {
    text += " expiry=" + std::to_string(*expiry);
  }
  if (!c.will) return text;
  text += " will " + std::string(c.will->topic) + "=" + std::string(c.will->payload) + " q" +
          std::to_string(static_cast<int>(c.will->qos)) + (c.will->retain ? " retain" : "");
  auto delay = c.will->properties.integer(PropertyId::will_delay_interval);
  return delay ? text + " delay=" + std::to_string(*delay) : text;
}

std::string disconnect(const mqtt::Disconnect& d) {
  auto expiry = d.properties.integer(PropertyId::session_expiry_interval);
  return "disconnect" + reason(d.reason) + (expiry ? " expiry=" + std::to_string(*expiry) : "");
}

std::string suback(const mqtt::Suback& s) {
  std::string text = (s.type == PacketType::suback ? "suback" : "unsuback") + number(s.packet_id);
  for (char code : s.codes) text += " " + hex(static_cast<uint8_t>(code));
  return text;
}

}  // namespace

std::string describe(const mqtt::Packet& packet) {
  if (auto* p = std::get_if<mqtt::Publish>(&packet)) return publish(*p);
  if (auto* a = std::get_if<mqtt::Ack>(&packet)) return ack(*a);
  if (auto* s = std::get_if<mqtt::Suback>(&packet)) return suback(*s);
  if (auto* d = std::get_if<mqtt::Disconnect>(&packet)) return disconnect(*d);
  if (auto* s = std::get_if<mqtt::Subscribe>(&packet)) return subscribe(*s);
  if (auto* u = std::get_if<mqtt::Unsubscribe>(&packet)) return unsubscribe(*u);
  if (auto* c = std::get_if<mqtt::Connect>(&packet)) return connect(*c);
  if (std::get_if<mqtt::Pingreq>(&packet)) return "pingreq";
  if (std::get_if<mqtt::Pingresp>(&packet)) return "pingresp";
  if (auto* c = std::get_if<mqtt::Connack>(&packet)) {
    std::string code = c->code < 0x80 ? std::to_string(c->code) : "0x" + hex(c->code);
    return "connack " + code + (c->session_present ? " present" : "");
  }
  return "auth";
}

}  // namespace tidegate::test
