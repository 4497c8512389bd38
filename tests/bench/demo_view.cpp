#include "tests/bench/demo_view.h"

#include <unistd.h>

#include <cstdio>

namespace bench {
namespace {

constexpr double redraw_interval_s = 0.2;
constexpr double line_interval_s = 1;

std::string queue_text(const Scene& scene) {
  return scene.queue_known ? std::to_string(scene.queue) : "?";
}

std::string link_text(const Scene& scene) {
  return scene.connection < 0 ? "?" : scene.connection == 1 ? "connected" : "not connected";
}

void draw_line(const Scene& scene) {
  std::printf(
      "%4.0f s  cloud: %-28s bridge: %-12s link: %-13s queue %-5s sent %-5llu acked %-5llu delivered %-5llu lost "
      "%llu\n",
      scene.seconds, scene.cloud.c_str(), scene.bridge_state.c_str(), link_text(scene).c_str(),
      queue_text(scene).c_str(), static_cast<unsigned long long>(scene.sent),
      static_cast<unsigned long long>(scene.acknowledged), static_cast<unsigned long long>(scene.delivered),
      static_cast<unsigned long long>(scene.lost));
}

}  // namespace

DemoView::DemoView() : terminal_(isatty(STDOUT_FILENO) == 1) {}

void DemoView::show(const Scene& scene) {
  if (scene.seconds < next_at_s_) return;
  next_at_s_ = scene.seconds + (terminal_ ? redraw_interval_s : line_interval_s);
  if (terminal_) {
    draw_block(scene);
  } else {
    draw_line(scene);
  }
  std::fflush(stdout);
}

void DemoView::draw_block(const Scene& scene) {
  constexpr int lines = 8;
  if (drawn_) std::printf("\033[%dA", lines);
  drawn_ = true;
  auto number = [](const char* name, uint64_t value, const char* remark) {
    std::printf("  %-14s %8llu  %s\033[K\n", name, static_cast<unsigned long long>(value), remark);
  };
  std::printf("  time           %6.1f s\033[K\n", scene.seconds);
  std::printf("  cloud          %s\033[K\n", scene.cloud.c_str());
  std::printf("  bridge         %s, %s\033[K\n", scene.bridge_state.c_str(), link_text(scene).c_str());
  std::printf("  queue          %8s  waiting in the gateway%s\033[K\n", queue_text(scene).c_str(),
              scene.bridge_dropped > 0 ? (", dropped " + std::to_string(scene.bridge_dropped)).c_str() : "");
  number("sent", scene.sent, "by the devices");
  number("acknowledged", scene.acknowledged, "by the gateway: its promise");
  number("delivered", scene.delivered, "to a subscriber of the cloud");
  number("lost", scene.lost, scene.duplicated > 0 ? "(some came twice)" : "");
}

}  // namespace bench
