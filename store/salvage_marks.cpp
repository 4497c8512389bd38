#include "store/salvage_marks.h"

namespace tidegate::store {

void note_mark(std::map<QueueId, QueueMarks>& marks, std::string_view key, std::string_view value) {
  if (key.size() != 5 || (key[0] != 'H' && key[0] != 'L')) return;
  const QueueId queue{load_big_endian<uint32_t>(key.substr(1))};
  if (key == queue_head_key(queue)) {
    if (const auto head = decode_queue_head(value)) marks[queue].head = *head;
  } else if (const auto tail = decode_queue_tail(value)) {
    marks[queue].tail = *tail;
  }
}

}  // namespace tidegate::store
