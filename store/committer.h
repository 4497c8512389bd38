// Group commit: one thread writes batches to the store; what arrived during one fsync is the next write.
//
// A batch is never skipped: a write that fails is tried again, and meanwhile `health` says so (invariant 8).
// Durability: always = every write is synced before its batches count as committed; interval = written at once, synced
// every `sync_interval`; os = written at once, synced by the operating system.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "gateway/base/ids.h"
#include "gateway/base/time.h"
#include "store/batch.h"
#include "store/store.h"

namespace tidegate::store {

enum class Durability : uint8_t { always, interval, os };

struct Health {
  // low_space: less than min_free is left; failing: the last write failed. Durable publishes are refused in both; what
  // is already accepted is still written where possible.
  enum class State : uint8_t { ok, low_space, failing } state = State::ok;
  std::string reason;       // for a person: "No space left on device"
  uint64_t free_bytes = 0;  // on the store's file system, as last seen
};

class Committer {
 public:
  struct Options {
    Durability durability = Durability::always;
    Millis sync_interval{1000};
    Millis retry_after{1000};              // between tries of a failed write
    Millis space_check{1000};              // how often free space is looked at
    uint64_t min_free = 0;                 // bytes
    std::function<uint64_t()> free_bytes;  // of the store's file system; empty: never low
    // Called on the commit thread after each write and each change of health; must not block.
    std::function<void()> on_progress;
  };

  Committer(Store& store, Options options);
  ~Committer();  // stops; nobody may be inside a call

  // Writes everything submitted (one last try if it fails), syncs it whatever the durability, and ends the thread. What
  // is submitted later is never committed. Store::mark_clean may follow. May be called again; one thread.
  void stop();

  // Takes the batch and leaves it empty, with reusable memory. Never blocks on disk. Any thread.
  Ticket submit(Batch& batch);
  // Blocks until `ticket` is committed, the committer stopped before (io) or `limit` has passed (timeout); a batch that
  // was not waited for to the end is still written. Any thread but the core and the commit thread.
  Status wait(Ticket ticket, Millis limit = Millis::max());
  // Highest ticket that is as durable as configured. Any thread.
  [[nodiscard]] Ticket committed() const;
  // Bytes submitted and not yet committed. Any thread.
  [[nodiscard]] uint64_t pending_bytes() const;
  [[nodiscard]] Health health() const;  // any thread
  // More callbacks like Options::on_progress; before any batch is submitted.
  void add_listener(std::function<void()> on_progress);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::store
