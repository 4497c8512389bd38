#include "gateway/event_log.h"

#include <algorithm>
#include <string>

#include "gateway/log/log.h"

namespace tidegate {
namespace {

// Client ids may hold anything; in the log they must not look like lines or fields of it.
std::string printable(std::string_view text) {
  std::string safe(text.substr(0, 128));
  std::replace_if(
      safe.begin(), safe.end(), [](unsigned char c) { return c < ' ' || c == 0x7F || c == '"'; }, '?');
  return safe;
}

}  // namespace

void EventLog::client_connected(std::string_view client_id, std::string_view peer, std::string_view details) {
  if (connection_messages_) {
    log::broker.notice("Client connected: client_id=\"{}\" peer={} session=\"{}\"", printable(client_id), peer,
                       details);
  }
}

void EventLog::client_disconnected(std::string_view client_id, std::string_view peer, std::string_view reason) {
  if (connection_messages_) {
    log::broker.notice("Client disconnected: client_id=\"{}\" peer={} reason=\"{}\"", printable(client_id), peer,
                       reason);
  }
}

void EventLog::client_refused(std::string_view client_id, std::string_view peer, std::string_view reason) {
  if (connection_messages_) {
    log::broker.notice("Client refused: client_id=\"{}\" peer={} reason=\"{}\"", printable(client_id), peer, reason);
  }
}

void EventLog::client_step(const Step& step) {
  if (!log::is_wanted(log::Component::broker, log::Level::debug)) return;
  std::string topic = step.topic.empty() ? "" : " topic=\"" + printable(step.topic) + '"';
  log::broker.debug("Client step: {} client_id=\"{}\" peer={}{} outcome=\"{}\"", step.what, printable(step.client_id),
                    step.peer, topic, step.outcome);
}

}  // namespace tidegate
