#include "gateway/log/log.h"

#include "gateway/log/destinations.h"

namespace tidegate::log {
namespace {

constexpr size_t lines_max = 4096;  // between whoever speaks and the log's thread

using Levels = std::array<std::atomic<Level>, components>;

Levels& levels() {
  static Levels all = {Level::info, Level::info, Level::info, Level::info, Level::info, Level::info};
  return all;
}

thread_local int publishing = 0;

}  // namespace

bool is_wanted(Component component, Level level) {
  return level <= levels()[static_cast<size_t>(component)].load(std::memory_order_relaxed);
}

void set_level(Component component, Level level) {
  levels()[static_cast<size_t>(component)] = level;
}

Writer& writer() {
  static Writer& the_writer = [&]() -> Writer& {
    static Writer made(lines_max);
    Destinations standard_error;
    standard_error.push_back(to_stream(Stream::standard_error, {}));
    made.set_destinations(std::move(standard_error));
    return made;
  }();
  return the_writer;
}

void post(Component component, Level level, std::string text) {
  writer().post({read_clock().wall, level, component, one_line(std::move(text)), publishing > 0});
}

PublishingLines::PublishingLines() {
  ++publishing;
}

PublishingLines::~PublishingLines() {
  --publishing;
}

}  // namespace tidegate::log
