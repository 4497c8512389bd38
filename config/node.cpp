#include "config/node.h"

namespace tidegate::config {
namespace {
constexpr size_t shown_bytes_max = 60;
}

std::string child_pointer(const std::string& parent, std::string_view key) {
  std::string out = parent + "/";
  for (char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

std::string child_pointer(const std::string& parent, size_t index) {
  return parent + "/" + std::to_string(index);
}

std::string shown(const Node& node) {
  switch (node.kind) {
    case Kind::null: return "null";
    case Kind::boolean: return node.boolean ? "true" : "false";
    case Kind::number: return node.text;
    case Kind::array: return "a list";
    case Kind::object: return "an object";
    case Kind::string: break;
  }
  if (node.text.size() <= shown_bytes_max) return '"' + node.text + '"';
  size_t end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(node.text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return '"' + node.text.substr(0, end) + "...\"";
}

}  // namespace tidegate::config
