// Where lines go: streams, files that are rotated, the daemons of syslog and systemd's journal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/log/writer.h"

namespace tidegate::log {

struct Style {
  Format format = Format::text;
  Timestamp timestamp = Timestamp::iso8601;
};

enum class Stream : uint8_t { standard_error, standard_output };
// A stream that leads to systemd's journal carries each line's level in front, as sd-daemon(3) has it, and no time: the
// journal has its own.
[[nodiscard]] std::unique_ptr<Destination> to_stream(Stream stream, Style style);

struct FileOptions {
  std::string path;
  uint64_t bytes_max = 5 << 20;  // then `path` becomes `path.1`, that `path.2`, ...; UINT64_MAX: never
  uint32_t keep = 3;             // rotated files
};
// Errors: io (it cannot be opened).
[[nodiscard]] Result<std::unique_ptr<Destination>> to_file(const FileOptions& options, Style style);

inline constexpr std::string_view syslog_socket = "/dev/log";
inline constexpr std::string_view journal_socket = "/run/systemd/journal/socket";
// RFC 3164, as syslog(3) writes it. `facility`: 3 daemon, 16 local0, ... A daemon that is not there is tried with every
// line.
[[nodiscard]] std::unique_ptr<Destination> to_syslog(std::string socket, int facility, Format format);
// The journal's native protocol: PRIORITY, SYSLOG_IDENTIFIER, TIDEGATE_COMPONENT, MESSAGE.
[[nodiscard]] std::unique_ptr<Destination> to_journal(std::string socket);

// $SYS/broker/log/LETTER, with `by_component` one level more: the component. `publish` returns false when it takes no more
// now, and does not wait.
using Publish = std::function<bool(std::string topic, std::string payload)>;
[[nodiscard]] std::unique_ptr<Destination> to_topic(Publish publish, bool by_component, Style style);

}  // namespace tidegate::log
