#include "bridge/wire_properties.h"

#include "gateway/base/bytes.h"

namespace tidegate::bridge {
namespace {

std::string_view read_text(ByteReader& reader) {
  return reader.bytes(reader.integer<uint16_t>());
}

void append_text(std::string& out, std::string_view text) {
  text = text.substr(0, 65535);
  append_big_endian(out, static_cast<uint16_t>(text.size()));
  out.append(text);
}

}  // namespace

std::optional<std::vector<WireProperty>> parse_wire_properties(std::string_view wire) {
  using Id = WireProperty::Id;
  std::vector<WireProperty> items;
  ByteReader reader(wire);
  while (reader.remaining() > 0) {
    WireProperty item;
    item.id = static_cast<Id>(reader.integer<uint8_t>());
    switch (item.id) {
      case Id::payload_format: item.number = reader.integer<uint8_t>(); break;
      case Id::content_type:
      case Id::response_topic:
      case Id::correlation_data: item.text = read_text(reader); break;
      case Id::user:
        item.text = read_text(reader);
        item.second = read_text(reader);
        break;
      default: return std::nullopt;
    }
    if (!reader.ok()) return std::nullopt;
    items.push_back(item);
  }
  return items;
}

void append_wire_property(std::string& out, const WireProperty& property) {
  out.push_back(static_cast<char>(property.id));
  if (property.id == WireProperty::Id::payload_format) {
    out.push_back(static_cast<char>(property.number));
    return;
  }
  append_text(out, property.text);
  if (property.id == WireProperty::Id::user) append_text(out, property.second);
}

}  // namespace tidegate::bridge
