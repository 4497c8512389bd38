// The two ends of a queue, as bookkeeping: what to put into a batch when a record is appended or removed.
//
// A queue is an ordered list of message records with a place (Seq) each; it may have holes. Its tail has one owner, its
// head another; both may be the same. Each owner writes only its own mark, so they need no lock:
//   messages waiting = (tail.next - 1) - head.messages_out       bytes waiting = tail.bytes_in - head.bytes_out
#pragma once

#include <cstdint>

#include "store/batch.h"
#include "store/records.h"

namespace tidegate::store {

struct QueueSize {
  uint64_t messages = 0;
  uint64_t bytes = 0;
};
[[nodiscard]] QueueSize size_of(const QueueTail& tail, const QueueHead& head);

// Thread: the appender's.
class QueueAppender {
 public:
  QueueAppender(QueueId id, QueueTail tail) : id_(id), tail_(tail) {}
  // Puts the record into `batch` and returns its place. Call `flush` once before the batch is handed on.
  Seq append(Batch& batch, const MessageView& message);
  void flush(Batch& batch);  // puts the tail if it changed since the last flush
  [[nodiscard]] QueueId id() const { return id_; }
  [[nodiscard]] const QueueTail& tail() const { return tail_; }

 private:
  QueueId id_;
  QueueTail tail_;
  bool dirty_ = false;
};

// Thread: the remover's.
class QueueRemover {
 public:
  QueueRemover(QueueId id, QueueHead head) : id_(id), head_(head) {}
  // Erases one record, in or out of turn. `bytes`: its counted bytes.
  void remove(Batch& batch, Seq seq, uint64_t bytes);
  // Erases `messages` records with `bytes` in all that stand from the head up to, not including, `end`, and moves the
  // head to `end`. With `keep_records` only the head moves: the store gives the space back by Store::reclaim later.
  void remove_below(Batch& batch, Seq end, uint64_t messages, uint64_t bytes, bool keep_records);
  // Everything below `first` is known to be gone. Never moves back.
  void advance(Seq first);
  void flush(Batch& batch);  // puts the head if it changed since the last flush
  [[nodiscard]] QueueId id() const { return id_; }
  [[nodiscard]] const QueueHead& head() const { return head_; }

 private:
  QueueId id_;
  QueueHead head_;
  bool dirty_ = false;
};

// Puts the erasure of a whole queue, its marks included.
void erase_queue(Batch& batch, QueueId queue);

}  // namespace tidegate::store
