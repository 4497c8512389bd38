#include "bridge/paho_session.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "gateway/base/bytes.h"

namespace tidegate::bridge {
namespace {

constexpr char publish_qos2 = 0x34, retain_bit = 0x01, pubrel = 0x62;
constexpr char message_expiry_interval = 0x02;
constexpr int unspecified_error = 0x80;

// MQTT 1.5.5
void append_variable_length(std::string& out, size_t value) {
  do {
    const auto low = static_cast<char>(value & 0x7F);
    value >>= 7;
    out.push_back(value > 0 ? static_cast<char>(low | 0x80) : low);
  } while (value > 0);
}

std::string packet(char first, const std::string& body) {
  std::string out(1, first);
  append_variable_length(out, body.size());
  return out += body;
}

// PUBLISH of QoS 2 in 3.1.1 (3.3); `first` is known to be one.
std::optional<Message> message_of_v311(std::string_view wire) {
  size_t at = 1;
  while (at < wire.size() && (wire[at] & 0x80)) ++at;
  ++at;
  if (wire.size() < at + 2) return {};
  const size_t topic = load_big_endian<uint16_t>(wire.substr(at));
  if (wire.size() < at + 2 + topic + 2) return {};
  Message message;
  message.topic = wire.substr(at + 2, topic);
  message.payload = wire.substr(at + 2 + topic + 2);
  message.qos = Qos::exactly_once;
  message.retain = wire[0] & retain_bit;
  return message;
}

std::string joined(const std::vector<mqtt::string_view>& parts) {
  std::string all;
  for (const auto& part : parts) all.append(part.data(), part.size());
  return all;
}

}  // namespace

PahoSession::PahoSession(const ConnectRequest& request, LinkEvents& events, std::function<void()> cut)
    : request_(request),
      exchanges_(*request.exchanges),
      events_(events),
      cut_(std::move(cut)),
      v5_(request.protocol >= 5) {}

PahoSession::Key PahoSession::parse(const std::string& key) const {
  const size_t dash = key.find('-');
  if (dash == std::string::npos) return {};
  const std::string_view stem = std::string_view(key).substr(0, dash);
  Key out;
  if (stem.starts_with("c")) return {Kind::command, 0};
  // Each removal comes under the names of both versions: the other one's says nothing.
  if (stem == (v5_ ? "s5" : "s")) out.kind = Kind::publish;
  if (stem == (v5_ ? "sc5" : "sc")) out.kind = Kind::pubrel;
  if (stem == (v5_ ? "r5" : "r")) out.kind = Kind::received;
  std::from_chars(key.data() + dash + 1, key.data() + key.size(), out.id);
  return out;
}

std::string PahoSession::key(Kind kind, PacketId id) const {
  const char* stem = kind == Kind::publish ? "s" : kind == Kind::pubrel ? "sc" : "r";
  return std::string(stem) + (v5_ ? "5-" : "-") + std::to_string(id);
}

bool PahoSession::contains_key(const std::string& name) {
  const auto all = keys();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i] == name) return true;
  }
  return false;
}

mqtt::string_collection PahoSession::keys() const {
  mqtt::string_collection all;
  const ExchangeMarks marks = exchanges_.marks();
  for (const Exchange& e : marks.up) {
    all.push_back(key(Kind::publish, e.packet_id));
    if (e.released) all.push_back(key(Kind::pubrel, e.packet_id));
  }
  for (const PacketId id : marks.down) all.push_back(key(Kind::received, id));
  return all;
}

void PahoSession::put(const std::string& name, const std::vector<mqtt::string_view>& parts) {
  const Key key = parse(name);
  bool ok = true;
  switch (key.kind) {
    case Kind::command: commands_[name] = joined(parts); break;
    case Kind::publish:
      if ((parts.at(0).data()[0] & 0x06) == 0x04) {
        ok = exchanges_.publish(key.id);
      } else {
        exchanges_.hold(key.id);
      }
      break;
    case Kind::pubrel: ok = exchanges_.release(key.id); break;
    case Kind::received: received(key.id, parts); break;
    case Kind::other: break;
  }
  if (!ok) cut_();
}

// 5.0 is handed over right after this, before PUBREC; 3.1.1 only at PUBREL, too late for us: taken here.
void PahoSession::received(PacketId id, const std::vector<mqtt::string_view>& parts) {
  receiving_ = 0;
  if (v5_) {
    receiving_ = id;
    return;
  }
  if (exchanges_.is_received(id)) return;
  auto message = message_of_v311(joined(parts));
  if (!message || !events_.message(std::move(*message), id)) cut_();
}

std::string PahoSession::get(const std::string& name) const {
  const Key key = parse(name);
  std::string id;
  append_big_endian(id, key.id);
  switch (key.kind) {
    case Kind::command: {
      auto at = commands_.find(name);
      return at == commands_.end() ? std::string() : at->second;
    }
    case Kind::publish: return publish_packet(key.id);
    case Kind::pubrel: return packet(pubrel, id);
    case Kind::received: {  // only its id counts
      using namespace std::string_literals;
      return packet(publish_qos2, "\0\1x"s + id + (v5_ ? "\0x"s : "x"s));
    }
    case Kind::other: break;
  }
  return {};
}

std::string PahoSession::publish_packet(PacketId id) const {
  const ExchangeMarks marks = exchanges_.marks();
  auto at = std::find_if(marks.up.begin(), marks.up.end(), [&](const Exchange& e) { return e.packet_id == id; });
  MessagePtr message = at == marks.up.end() || at->released ? nullptr : request_.record(at->seq);
  static const MessagePtr known = std::make_shared<const Message>(Message{"x", "x", {}, Qos::exactly_once});
  if (!message) message = known;  // the remote has it: only PUBREL is sent
  std::string body;
  append_big_endian(body, static_cast<uint16_t>(message->topic.size()));
  body += message->topic;
  append_big_endian(body, id);
  if (v5_) {
    std::string properties = message->properties;
    if (message->expires != WallTime::never()) {
      const auto left = std::chrono::duration_cast<Seconds>(message->expires - read_clock().wall);
      properties.push_back(message_expiry_interval);
      append_big_endian(properties, static_cast<uint32_t>(std::max<int64_t>(1, left.count())));
    }
    append_variable_length(body, properties.size());
    body += properties;
  }
  body += message->payload;
  return packet(static_cast<char>(publish_qos2 | (message->retain ? retain_bit : 0)), body);
}

void PahoSession::remove(const std::string& name) {
  const Key key = parse(name);
  if (key.kind == Kind::command) {
    commands_.erase(name);
  } else if (!connected_) {
    return;
  } else if (key.kind == Kind::publish) {
    ended(key.id);
  } else if (key.kind == Kind::received && !exchanges_.forget(key.id)) {
    cut_();
  }
}

// Paho gives no token for what it took from here, so nothing else tells the end of it.
void PahoSession::ended(PacketId id) {
  const auto ended = exchanges_.end(id);
  if (!ended) return exchanges_.let_go(id);
  if (ended->exchange.released) {
    events_.acknowledged(ended->exchange.seq.value);
  } else if (ended->resumed) {
    events_.rejected(ended->exchange.seq.value, unspecified_error, "refused by PUBREC");
  }
}

}  // namespace tidegate::bridge
