// What the broker asks of its surroundings. The network loop implements it; tests script it.
//
// Calls return at once and never call back into the broker. Thread: the core's.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/ids.h"
#include "gateway/broker/out_buffer.h"
#include "store/store.h"

namespace tidegate::broker {

class Output {
 public:
  virtual ~Output() = default;

  // The connection's buffer, to be written at the end of the turn; nullptr if the connection is gone.
  virtual OutBuffer* buffer(ConnId conn) = 0;
  // Bytes handed to the connection earlier that its socket has not taken yet.
  virtual uint64_t unsent_bytes(ConnId conn) = 0;
  // Close after what is in the buffer has been written. Broker::closed will not be called for it.
  virtual void close(ConnId conn) = 0;
  // Broker::packet answered not_now before: feed that packet again. It is also fed again after each write.
  virtual void resume(ConnId conn) = 0;
  // Check in the background and answer by Broker::credentials_checked.
  virtual void check_credentials(ConnId conn, std::string_view username, std::string_view password) = 0;
  // The client wants to authenticate by a method: may it now? Answer by Broker::may_authenticate, perhaps later.
  virtual void ask_to_authenticate(ConnId conn) = 0;
  virtual void authentication_failed(ConnId conn) = 0;  // called before the connection is closed
  // Read committed records in the background and answer by Broker::records_read. Fewer records than the limit mean that
  // there are no more, and none that what stands there cannot be read. A read that failed, and may work later, is
  // answered by Broker::read_failed.
  virtual void read_queue(QueueId queue, Seq from, Seq end, store::ReadLimit limit) = 0;
};

// An event worth a log line; never payloads or secrets. Implemented with the log, ignored by tests.
class Events {
 public:
  virtual ~Events() = default;
  virtual void client_connected(std::string_view client_id, std::string_view peer, std::string_view details) = 0;
  virtual void client_disconnected(std::string_view client_id, std::string_view peer, std::string_view reason) = 0;
  virtual void client_refused(std::string_view client_id, std::string_view peer, std::string_view reason) = 0;
  // For who looks closely: what a client asked for and what became of it, but for what goes on its way.
  struct Step {
    std::string_view client_id, peer;
    std::string_view what;     // "CONNECT", "SUBSCRIBE"
    std::string_view topic;    // or a filter; may be empty
    std::string_view outcome;  // a reason code's name, or what happens next
  };
  virtual void client_step(const Step& /*step*/) {}
};

}  // namespace tidegate::broker
