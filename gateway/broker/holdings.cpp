#include "gateway/broker/holdings.h"

#include "gateway/broker/state.h"
#include "store/queue.h"

namespace tidegate::broker {

Holdings holdings(const State& state) {
  Holdings sum;
  for (const auto& [client_id, session] : state.sessions) {
    if (const Outgoing* out = session->outgoing.get()) {
      sum.inflight += out->inflight.size() - out->to_resend;
      if (!session->durable) {
        sum.queued_messages += out->waiting.size();
        sum.queued_bytes += out->waiting_bytes;
      }
    }
    if (!session->durable) continue;
    store::QueueSize size = store::size_of(session->durable->appender.tail(), session->durable->remover.head());
    sum.queued_messages += size.messages;
    sum.queued_bytes += size.bytes;
  }
  return sum;
}

}  // namespace tidegate::broker
