#include "store/queue.h"

#include <limits>

#include "gateway/base/result.h"
#include "store/keys.h"

namespace tidegate::store {
namespace {

// Up to here records are erased one by one: such tombstones die in the memtable together with their records, while many
// small range tombstones slow every read of it down. Beyond, one range is cheaper.
constexpr uint64_t single_erases_max = 1000;

}  // namespace

QueueSize size_of(const QueueTail& tail, const QueueHead& head) {
  const uint64_t messages_in = tail.next.value - 1;
  // A salvaged store may have lost the newer of the two marks.
  return {.messages = messages_in > head.messages_out ? messages_in - head.messages_out : 0,
          .bytes = tail.bytes_in > head.bytes_out ? tail.bytes_in - head.bytes_out : 0};
}

Seq QueueAppender::append(Batch& batch, const MessageView& message) {
  const Seq seq = tail_.next;
  batch.put_encoded(Table::queue, QueueKey(id_, seq).view(), [&](std::string& out) { append_encoded(message, out); });
  ++tail_.next.value;
  tail_.bytes_in += counted_bytes(message);
  dirty_ = true;
  return seq;
}

void QueueAppender::flush(Batch& batch) {
  if (!dirty_) return;
  batch.put(Table::state, queue_tail_key(id_), encode(tail_));
  dirty_ = false;
}

void QueueRemover::remove(Batch& batch, Seq seq, uint64_t bytes) {
  batch.erase(Table::queue, QueueKey(id_, seq).view());
  ++head_.messages_out;
  head_.bytes_out += bytes;
  if (seq == head_.first) ++head_.first.value;
  dirty_ = true;
}

void QueueRemover::remove_below(Batch& batch, Seq end, uint64_t messages, uint64_t bytes, bool keep_records) {
  TIDEGATE_CHECK(end >= head_.first);
  if (!keep_records) {
    if (end.value - head_.first.value > single_erases_max) {
      batch.erase_range(Table::queue, QueueKey(id_, head_.first).view(), QueueKey(id_, end).view());
    } else {
      for (Seq seq = head_.first; seq < end; ++seq.value) batch.erase(Table::queue, QueueKey(id_, seq).view());
    }
  }
  head_.first = end;
  head_.messages_out += messages;
  head_.bytes_out += bytes;
  dirty_ = true;
}

void QueueRemover::advance(Seq first) {
  if (first <= head_.first) return;
  head_.first = first;
  dirty_ = true;
}

void QueueRemover::flush(Batch& batch) {
  if (!dirty_) return;
  batch.put(Table::state, queue_head_key(id_), encode(head_));
  dirty_ = false;
}

void erase_queue(Batch& batch, QueueId queue) {
  batch.erase(Table::state, queue_head_key(queue));
  batch.erase(Table::state, queue_tail_key(queue));
  // The end is exclusive: the last possible key and one byte more.
  std::string end(QueueKey(queue, Seq{std::numeric_limits<uint64_t>::max()}).view());
  end.push_back('\0');
  batch.erase_range(Table::queue, QueueKey(queue, Seq{0}).view(), end);
}

}  // namespace tidegate::store
