#include "gateway/broker/publication.h"

#include <algorithm>
#include <cstring>

#include "gateway/base/bytes.h"

namespace tidegate::broker {

const MessagePtr& Publication::shared() {
  if (!shared_) shared_ = std::make_shared<const Message>(store::to_message(message_));
  return shared_;
}

std::string_view Publication::expiry_property() {
  if (!expiry_) {
    expiry_.emplace();
    if (message_.expires != WallTime::never()) {  // the time it has waited here is taken off [MQTT-3.3.2-6]
      auto left = std::chrono::ceil<Seconds>(message_.expires - now_).count();
      mqtt::PropertyWriter(*expiry_).integer(mqtt::PropertyId::message_expiry_interval,
                                             static_cast<uint32_t>(std::max<int64_t>(left, 0)));
    }
  }
  return *expiry_;
}

mqtt::PublishHead Publication::head(const Delivery& to) {
  mqtt::PublishHead head{message_.topic, message_.payload.size(), to.qos, to.dup, to.retain, to.packet_id, {}, {}};
  if (to.version != mqtt::Version::v5) return head;
  head.properties_first = message_.properties;
  head.properties_second = to.subscription_ids;
  if (to.by_alias) head.topic = {};
  if (std::string_view expiry = expiry_property(); !expiry.empty() || to.topic_alias != 0) {
    properties_.assign(expiry).append(to.subscription_ids);
    if (to.topic_alias != 0) mqtt::PropertyWriter(properties_).integer(mqtt::PropertyId::topic_alias, to.topic_alias);
    head.properties_second = properties_;
  }
  return head;
}

void Publication::encode(const Delivery& to, std::string& out, bool with_payload) {
  mqtt::encode_head(head(to), to.version, out);
  if (with_payload) out.append(message_.payload);
}

const Publication::Form& Publication::form(const Delivery& to, bool with_payload) {
  size_t index = (to.version == mqtt::Version::v5 ? 6 : 0) + static_cast<size_t>(to.qos) * 2 + (to.retain ? 1 : 0);
  std::optional<Form>& form = forms_[index];
  if (!form) {
    form.emplace(Form{});
    encode(to, form->bytes, with_payload);
    size_t length_end = 1;  // the remaining length ends with the first byte below 0x80
    while (static_cast<uint8_t>(form->bytes[length_end]) >= 0x80) ++length_end;
    form->packet_id_at = length_end + 1 + sizeof(uint16_t) + message_.topic.size();
  }
  return *form;
}

bool Publication::fits(const Delivery& to) {
  return to.packet_bytes_max == 0 || mqtt::encoded_size(head(to), to.version) <= to.packet_bytes_max;
}

bool Publication::write(const Delivery& to, OutBuffer& out) {
  if (!fits(to)) return false;
  bool share_payload = message_.payload.size() >= OutBuffer::share_from && (many_ || shared_);
  std::string& bytes = out.own();
  if (!many_ || to.dup || to.topic_alias != 0 || !to.subscription_ids.empty()) {
    encode(to, bytes, !share_payload);
  } else {
    const Form& encoded = form(to, !share_payload);
    size_t start = bytes.size();
    bytes.append(encoded.bytes);
    if (to.qos != Qos::at_most_once) {
      uint16_t id = to_big_endian(to.packet_id);
      std::memcpy(bytes.data() + start + encoded.packet_id_at, &id, sizeof id);
    }
  }
  if (share_payload) out.append_payload(shared());
  return true;
}

}  // namespace tidegate::broker
