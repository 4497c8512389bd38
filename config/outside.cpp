#include "config/outside.h"

#include "config/units.h"

namespace tidegate::config {

std::string default_store_path(const Outside& outside) {
  if (outside.is_root) return "/var/lib/tidegate";
  if (auto data = outside.env("XDG_DATA_HOME"); data && data->starts_with('/')) return *data + "/tidegate";
  if (auto home = outside.env("HOME"); home && home->starts_with('/')) return *home + "/.local/share/tidegate";
  return "tidegate-data";
}

std::string default_gateway_name(const Outside& outside) {
  std::string name = outside.host_name.substr(0, outside.host_name.find('.')).substr(0, name_bytes_max);
  for (char& c : name)
    if (!is_name({&c, 1})) c = '-';
  return name.empty() ? "tidegate" : name;
}

}  // namespace tidegate::config
