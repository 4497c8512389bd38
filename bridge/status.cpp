#include "bridge/status.h"

namespace tidegate::bridge {

std::string_view word(LinkState state) {
  switch (state) {
    case LinkState::stopped: return "stopped";
    case LinkState::connecting: return "connecting";
    case LinkState::connected: return "connected";
    case LinkState::waiting: return "waiting";
    case LinkState::refused: return "refused";
  }
  return "unknown";
}

std::string_view word(Step step) {
  switch (step) {
    case Step::none: return "none";
    case Step::name_lookup: return "name_lookup";
    case Step::tcp: return "tcp";
    case Step::tls: return "tls";
    case Step::connack: return "connack";
    case Step::subscribe: return "subscribe";
    case Step::publish: return "publish";
    case Step::keepalive: return "keepalive";
    case Step::stalled: return "stalled";
    case Step::link: return "link";
    case Step::store: return "store";
  }
  return "unknown";
}

}  // namespace tidegate::bridge
