#include "config/reading.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "config/expand.h"

namespace tidegate::config {
namespace {

constexpr uint32_t secret_mode_max = 0640;
constexpr size_t secret_bytes_max = 65536;
constexpr uint32_t others_read_or_group_writes = 0026;

std::string octal(uint32_t mode) {
  std::string out;
  for (int shift = 9; shift >= 0; shift -= 3) out += static_cast<char>('0' + ((mode >> shift) & 7));
  return out;
}

}  // namespace

std::string beside(const std::string& file, const std::string& path) {
  std::filesystem::path p(path);
  if (p.is_absolute()) return path;
  return (std::filesystem::path(file).parent_path() / p).lexically_normal().string();
}

void Reading::error(const Place& place, std::string message) {
  problems_.push_back({Severity::error, place, std::move(message)});
}

void Reading::warning(const Place& place, std::string message) {
  problems_.push_back({Severity::warning, place, std::move(message)});
}

void Reading::expected(const Node& node, std::string_view what, std::string_view hint) {
  std::string message = "expected " + std::string(what) + ", found " + shown(node);
  if (!hint.empty()) message += "; did you mean " + std::string(hint) + "?";
  error(node.place, std::move(message));
}

void Reading::expected_secretly(const Node& node, std::string_view what) {
  error(node.place, "expected " + std::string(what));
}

std::optional<std::string> Reading::text(const Node& node, std::string_view what) {
  if (node.kind != Kind::string) {
    expected(node, what, node.kind == Kind::number ? '"' + node.text + '"' : "");
    return std::nullopt;
  }
  auto expanded = expand(node.text, outside_.env);
  if (!expanded) {
    error(node.place, std::move(expanded.error()));
    return std::nullopt;
  }
  if (expanded->find('\0') != std::string::npos) {
    error(node.place, "expected text without a zero character");
    return std::nullopt;
  }
  return std::move(*expanded);
}

std::optional<std::string> Reading::path(const Node& node) {
  auto written = text(node, "a path");
  if (!written) return std::nullopt;
  if (written->empty()) {
    expected(node, "a path");
    return std::nullopt;
  }
  return beside(node.place.file, *written);
}

std::optional<Secret> Reading::secret(const Node& node) {
  constexpr std::string_view what = R"(a secret: "file:PATH", "${NAME}" or the text itself)";
  if (node.kind != Kind::string) {
    expected_secretly(node, what);
    return std::nullopt;
  }
  // Only what is written decides where a secret comes from: a password in the environment may begin with "file:".
  if (node.text.starts_with("file:")) return secret_of_file(node, std::string_view(node.text).substr(5));
  auto value = text(node, what);
  if (!value) return std::nullopt;
  if (value->empty()) {
    expected_secretly(node, "a secret that is not empty");
    return std::nullopt;
  }
  if (auto name = sole_placeholder(node.text)) return Secret(std::move(*value), "environment " + std::string(*name));
  check_mode_for_inline_secret(node);
  return Secret(std::move(*value), "configuration");
}

std::optional<Secret> Reading::secret_of_file(const Node& node, std::string_view written_path) {
  auto expanded = expand(written_path, outside_.env);
  if (!expanded || expanded->empty()) {
    error(node.place, expanded ? "expected a path after file:" : expanded.error());
    return std::nullopt;
  }
  std::string path = beside(node.place.file, *expanded);
  auto file = outside_.read_file(path);
  if (!file) {
    error(node.place, "the secret cannot be read: " + file.error().context);
    return std::nullopt;
  }
  if ((file->mode & 0777 & ~secret_mode_max) != 0) {
    error(node.place, path + " holds a secret and has mode " + octal(file->mode) +
                          ": others could read or change it; " + "run: chmod 0640 " + path);
    return std::nullopt;
  }
  std::string value = std::move(file->text);
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  bool usable = !value.empty() && value.size() <= secret_bytes_max && value.find('\0') == std::string::npos;
  if (!usable) {
    error(node.place, path + ": expected a secret of 1 to 65536 bytes and no zero byte");
    return std::nullopt;
  }
  return Secret(std::move(value), "file:" + path);
}

// A warning and no error: the configuration works, and a gateway that does not start helps nobody. Files that exist
// only for a secret are held to their mode.
void Reading::check_mode_for_inline_secret(const Node& node) {
  auto file = std::ranges::find(modes_, node.place.file, &FileMode::file);
  if (file == modes_.end() || (file->mode & others_read_or_group_writes) == 0) return;
  warning(node.place, "a secret stands in a file that others can read or change (mode " + octal(file->mode) +
                          "); run: chmod 0640 " + file->file + ", or write \"file:PATH\"");
}

}  // namespace tidegate::config
