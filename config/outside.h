// What the configuration needs of the world, as values and functions, so that everything else here is pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "gateway/base/result.h"

namespace tidegate::config {

struct FileContent {
  uint32_t mode = 0;  // permission bits, as in chmod
  std::string text;
};

// What is wrong with the files of a listener's TLS: of one of its keys.
struct TlsFinding {
  std::string key;  // "key_file"
  bool is_warning = false;
  std::string what;
};

struct Outside {
  std::function<std::optional<std::string>(std::string_view name)> env;
  // At most file_bytes_max + 1 bytes of a file.
  std::function<Result<FileContent>(const std::string& path)> read_file;
  // Names of the entries of a folder, in any order.
  std::function<Result<std::vector<std::string>>(const std::string& path)> list_folder;
  // Reads what a listener's TLS names. Not set: the files are not looked at.
  std::function<std::vector<TlsFinding>(const ListenerTls&)> check_tls;
  std::string host_name;
  bool is_root = false;
};

// The operating system's (files.cpp).
[[nodiscard]] Outside real_outside();

// As root /var/lib/tidegate, else $XDG_DATA_HOME/tidegate or ~/.local/share/tidegate; without a home tidegate-data.
[[nodiscard]] std::string default_store_path(const Outside& outside);

// The host name as a name: its first label, other characters as "-". Without one: "tidegate".
[[nodiscard]] std::string default_gateway_name(const Outside& outside);

}  // namespace tidegate::config
