#include "gateway/event_log.h"

#include <spdlog/spdlog.h>

namespace tidegate {

void EventLog::client_connected(std::string_view client_id, std::string_view peer, std::string_view details) {
  if (connection_messages_) {
    spdlog::info("Client connected: client_id=\"{}\" peer={} session=\"{}\"", client_id, peer, details);
  }
}

void EventLog::client_disconnected(std::string_view client_id, std::string_view peer, std::string_view reason) {
  if (connection_messages_) {
    spdlog::info("Client disconnected: client_id=\"{}\" peer={} reason=\"{}\"", client_id, peer, reason);
  }
}

void EventLog::client_refused(std::string_view client_id, std::string_view peer, std::string_view reason) {
  if (connection_messages_) {
    spdlog::info("Client refused: client_id=\"{}\" peer={} reason=\"{}\"", client_id, peer, reason);
  }
}

}  // namespace tidegate
