// One message on its way to its receivers: encoded once per form, its payload copied once or shared.
//
// Lives for one call on the stack of whoever publishes; the message may still be a view into a read buffer.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/message.h"
#include "gateway/broker/out_buffer.h"
#include "gateway/mqtt/encode.h"
#include "store/records.h"

namespace tidegate::broker {

// How one receiver gets it.
struct Delivery {
  mqtt::Version version = mqtt::Version::v3_1_1;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  bool dup = false;
  mqtt::PacketId packet_id = 0;
  std::string_view subscription_ids;  // 5.0 properties in wire form
  uint32_t packet_bytes_max = 0;      // 0: any size
  uint16_t topic_alias = 0;           // 5.0: told beside the topic; 0: none
  bool by_alias = false;              // the alias in place of the topic
};

class Publication {
 public:
  // `message` must outlive this, or be what `shared` shows.
  Publication(const store::MessageView& message, WallTime now) : message_(message), now_(now) {}
  Publication(const MessagePtr& shared, WallTime now) : message_(store::view_of(*shared)), shared_(shared), now_(now) {}

  [[nodiscard]] const store::MessageView& message() const { return message_; }
  [[nodiscard]] bool is_expired() const { return message_.expires <= now_; }
  // The message as an object of its own, made at the first call.
  [[nodiscard]] const MessagePtr& shared();
  // More than one receiver is likely: encode a form once and copy it.
  void expect_many() { many_ = true; }

  // Whether the receiver takes a packet of that size. The packet id does not matter.
  [[nodiscard]] bool fits(const Delivery& to);
  // False: it does not fit; nothing was written.
  [[nodiscard]] bool write(const Delivery& to, OutBuffer& out);

 private:
  // A whole PUBLISH, or its head where the payload is shared; the packet id stands at `packet_id_at`.
  struct Form {
    std::string bytes;
    size_t packet_id_at = 0;
  };
  [[nodiscard]] mqtt::PublishHead head(const Delivery& to);
  void encode(const Delivery& to, std::string& out, bool with_payload);
  [[nodiscard]] const Form& form(const Delivery& to, bool with_payload);
  [[nodiscard]] std::string_view expiry_property();

  store::MessageView message_;
  MessagePtr shared_;
  WallTime now_;
  bool many_ = false;
  std::optional<std::string> expiry_;
  std::string properties_;
  std::array<std::optional<Form>, 12> forms_;  // by 5.0 or before, QoS, retain
};

}  // namespace tidegate::broker
