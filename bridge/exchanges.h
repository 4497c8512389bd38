// QoS 2 exchanges with the remote, on disk in our own terms: which packet id stands for which message, and how far it
// got. They outlive the connection, the process and the power, as the remote's session does, so that each message
// crosses exactly once.
//
//   up    prepare: its id on disk ─► PUBLISH ─ PUBREC ─ release: the phase on disk ─► PUBREL ─ PUBCOMP ─ end
//   down  PUBLISH ─ receive: its id and the message in the inbox, one batch ─► PUBREC ─ PUBREL ─ forget: no id on
//         disk ─► PUBCOMP
//
// What has ended is erased together with the record of its message: before that, a crash sends PUBREL again, which is
// harmless; after it, nothing.
//
// Thread: any. `prepare`, `publish`, `release`, `forget` wait for the disk.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "gateway/base/ids.h"
#include "gateway/base/result.h"
#include "store/batch.h"
#include "store/committer.h"
#include "store/store.h"

namespace tidegate::bridge {

using PacketId = uint16_t;  // never 0

// One message on its way up.
struct Exchange {
  PacketId packet_id = 0;
  Seq seq{};              // its record in the out queue
  bool released = false;  // the remote has it: only PUBREL is sent again
  friend bool operator==(const Exchange&, const Exchange&) = default;
};

// As the store has them.
struct ExchangeMarks {
  std::vector<Exchange> up;
  std::vector<PacketId> down;
};

[[nodiscard]] Result<ExchangeMarks> read_exchanges(store::Store& store, QueueId out, QueueId inbox);

class Exchanges {
 public:
  // `committer` outlives this.
  Exchanges(QueueId out, QueueId inbox, const ExchangeMarks& marks, store::Committer& committer);
  [[nodiscard]] ExchangeMarks marks() const;  // up in the order of the messages

  // A new connection: the link sends again what is under way, and counts its packet ids from 1.
  void connection_begins();
  // Of what was under way when the connection began, something has not ended: nothing new may be sent, or it would
  // overtake.
  [[nodiscard]] bool is_resuming() const;

  // --- up ---
  // The link gives out packet ids in order, but for those in use; with this it is known which it will give to the next
  // publishes. Submits `batch` with them and waits. False: the disk does not take it now.
  [[nodiscard]] bool prepare(std::span<const Seq> publishes, store::Batch& batch);
  void id_given(PacketId packet_id);  // the link's latest
  void hold(PacketId packet_id);      // QoS 1: in use until `let_go`
  void let_go(PacketId packet_id);
  // The next message is about to be written with that id. False: it must not be.
  [[nodiscard]] bool publish(PacketId packet_id);
  // PUBREC has come. False: PUBREL must not be written.
  [[nodiscard]] bool release(PacketId packet_id);
  // PUBCOMP has come, or the remote refused the message. Nothing: none of that id is under way.
  struct Ended {
    Exchange exchange;
    bool resumed = false;  // it began in a former connection
  };
  std::optional<Ended> end(PacketId packet_id);
  // Puts the erasure of what has ended into `batch`, which erases the record, too, or has it sent anew.
  void erase_ended(Seq seq, store::Batch& batch);

  // --- down ---
  [[nodiscard]] bool is_received(PacketId packet_id) const;
  void receive(PacketId packet_id, store::Batch& batch);
  // PUBREL has come. False: PUBCOMP must not be written.
  [[nodiscard]] bool forget(PacketId packet_id);

  // The remote has begun a new session: what was under way has no meaning any more. Erases it and returns it.
  [[nodiscard]] ExchangeMarks clear(store::Batch& batch);

 private:
  struct Up {
    Seq seq{};
    bool released = false;
    bool resumed = false;
    bool published = false;
    Ticket on_disk_with{};
  };
  [[nodiscard]] PacketId next_free(PacketId after) const;
  [[nodiscard]] bool is_ending(PacketId id) const;
  [[nodiscard]] std::optional<Seq> next_to_publish() const;
  void put(PacketId id, const Up& up, store::Batch& batch) const;
  [[nodiscard]] bool renumber(PacketId first, store::Batch& batch);
  [[nodiscard]] bool wait(Ticket ticket);

  const QueueId out_, inbox_;
  store::Committer& committer_;

  mutable std::mutex mutex_;
  std::map<PacketId, Up> up_;
  std::map<Seq, PacketId> ended_;
  std::set<PacketId> held_;
  std::set<PacketId> down_;
  PacketId last_given_ = 0;
};

}  // namespace tidegate::bridge
