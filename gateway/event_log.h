// The broker's events as log lines.
#pragma once

#include "gateway/broker/output.h"

namespace tidegate {

class EventLog final : public broker::Events {
 public:
  void set_connection_messages(bool on) { connection_messages_ = on; }

  void client_connected(std::string_view client_id, std::string_view peer, std::string_view details) override;
  void client_disconnected(std::string_view client_id, std::string_view peer, std::string_view reason) override;
  void client_refused(std::string_view client_id, std::string_view peer, std::string_view reason) override;
  void client_step(const Step& step) override;

 private:
  bool connection_messages_ = true;
};

}  // namespace tidegate
