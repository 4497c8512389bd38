#include "gateway/mqtt/properties.h"

#include "gateway/base/bytes.h"
#include "gateway/base/result.h"
#include "gateway/mqtt/encode.h"
#include "gateway/mqtt/property_table.h"
#include "gateway/mqtt/wire_reader.h"

namespace tidegate::mqtt {
namespace {

bool find(std::string_view wire, PropertyId id, Properties::Item& item) {
  while (Properties::next(wire, item))
    if (item.id == id) return true;
  return false;
}

void append_text(std::string_view text, std::string& out) {
  TIDEGATE_CHECK(text.size() <= 0xFFFF);
  append_big_endian(out, static_cast<uint16_t>(text.size()));
  out.append(text);
}

}  // namespace

bool Properties::next(std::string_view& rest, Item& item) {
  if (rest.empty()) return false;
  ByteReader in(rest);
  item = Item{};
  item.id = PropertyId{in.integer<uint8_t>()};
  switch (trait_of(item.id).type) {
    case PropertyType::none: in.fail(); break;
    case PropertyType::byte: item.number = in.integer<uint8_t>(); break;
    case PropertyType::two_bytes: item.number = in.integer<uint16_t>(); break;
    case PropertyType::four_bytes: item.number = in.integer<uint32_t>(); break;
    case PropertyType::varint: item.number = read_varint(in); break;
    case PropertyType::string:
    case PropertyType::topic:
    case PropertyType::binary: item.text = read_binary(in); break;
    case PropertyType::string_pair:
      item.text = read_binary(in);
      item.second = read_binary(in);
      break;
  }
  if (!in.ok()) return false;
  item.wire = rest.substr(0, rest.size() - in.remaining());
  rest.remove_prefix(item.wire.size());
  return true;
}

std::optional<uint32_t> Properties::integer(PropertyId id) const {
  Item item;
  if (!find(wire_, id, item)) return {};
  return item.number;
}

std::optional<std::string_view> Properties::text(PropertyId id) const {
  Item item;
  if (!find(wire_, id, item)) return {};
  return item.text;
}

PropertyWriter& PropertyWriter::integer(PropertyId id, uint32_t value) {
  PropertyType type = trait_of(id).type;
  append_big_endian(out_, static_cast<uint8_t>(id));
  switch (type) {
    case PropertyType::byte: append_big_endian(out_, static_cast<uint8_t>(value)); break;
    case PropertyType::two_bytes: append_big_endian(out_, static_cast<uint16_t>(value)); break;
    case PropertyType::four_bytes: append_big_endian(out_, value); break;
    case PropertyType::varint: append_varint(value, out_); break;
    default: TIDEGATE_CHECK(type == PropertyType::four_bytes);
  }
  return *this;
}

PropertyWriter& PropertyWriter::text(PropertyId id, std::string_view value) {
  PropertyType type = trait_of(id).type;
  TIDEGATE_CHECK(type == PropertyType::string || type == PropertyType::topic || type == PropertyType::binary);
  append_big_endian(out_, static_cast<uint8_t>(id));
  append_text(value, out_);
  return *this;
}

PropertyWriter& PropertyWriter::user(std::string_view name, std::string_view value) {
  append_big_endian(out_, static_cast<uint8_t>(PropertyId::user_property));
  append_text(name, out_);
  append_text(value, out_);
  return *this;
}

void append_forwarded(Properties from, std::string& out) {
  std::string_view rest = from.wire();
  for (Properties::Item item; Properties::next(rest, item);) {
    switch (item.id) {
      case PropertyId::payload_format_indicator:
      case PropertyId::content_type:
      case PropertyId::response_topic:
      case PropertyId::correlation_data:
      case PropertyId::user_property: out.append(item.wire); break;
      default: break;
    }
  }
}

}  // namespace tidegate::mqtt
