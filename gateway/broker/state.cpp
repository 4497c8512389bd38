#include "gateway/broker/state.h"

#include <algorithm>

#include "store/keys.h"
#include "store/records.h"

namespace tidegate::broker {

Connection* State::find(ConnId id) {
  if (!id || id.slot >= connections.size()) return nullptr;
  Connection* conn = connections[id.slot].get();
  return conn && conn->id == id ? conn : nullptr;
}

bool State::send_after(Connection& conn, BatchNumber until, std::string_view packet) {
  if (conn.packet_bytes_max != 0 && packet.size() > conn.packet_bytes_max) return true;  // [MQTT-3.1.2-24]
  ++counters.packets_sent;
  until = std::max({until, conn.last_held_until, conn.publish_after});
  if (!gate.is_committed(until)) {
    conn.last_held_until = until;
    gate.hold(conn.id, until, packet);
    return false;
  }
  if (OutBuffer* buffer = out.buffer(conn.id)) {
    buffer->own().append(packet);
  }
  return true;
}

void State::mark_dirty(Session& session) {
  if (session.durable->dirty) return;
  session.durable->dirty = true;
  dirty.push_back(&session);
}

QueueId State::new_queue_id() {
  QueueId id{next_queue_id++};
  batch.put(store::Table::state, store::next_queue_id_key(), store::encode_u32(next_queue_id));
  return id;
}

}  // namespace tidegate::broker
