#include "store/log_reader.h"

#include <array>
#include <cstring>

namespace tidegate::store {
namespace {

constexpr size_t header_size = 4 + 2 + 1;                        // masked crc32c, length (both little-endian), type
constexpr uint8_t full_type = 1, first_type = 2, last_type = 4;  // 3: neither, a middle part

template <class Int>
Int load_little_endian(const char* at) {
  Int v = 0;
  for (size_t i = 0; i < sizeof(Int); ++i)
    v |= static_cast<Int>(static_cast<Int>(static_cast<uint8_t>(at[i])) << (8 * i));
  return v;
}

// Four bytes a step: a start after a crash checks up to 16 MiB.
constexpr auto crc_tables = [] {
  std::array<std::array<uint32_t, 256>, 4> tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
    tables[0][i] = crc;
  }
  for (size_t t = 1; t < 4; ++t)
    for (size_t i = 0; i < 256; ++i) tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xFF];
  return tables;
}();

uint32_t unmask(uint32_t masked) {
  const uint32_t rotated = masked - 0xA282EAD8u;
  return (rotated >> 17) | (rotated << 15);
}

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t start) {
  uint32_t crc = ~start;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 4; left -= 4, at += 4) {
    crc ^= load_little_endian<uint32_t>(at);
    crc = crc_tables[3][crc & 0xFF] ^ crc_tables[2][(crc >> 8) & 0xFF] ^ crc_tables[1][(crc >> 16) & 0xFF] ^
          crc_tables[0][crc >> 24];
  }
  for (; left > 0; --left, ++at) crc = (crc >> 8) ^ crc_tables[0][(crc ^ static_cast<uint8_t>(*at)) & 0xFF];
  return ~crc;
}

std::optional<LogReader::Piece> LogReader::piece_at(size_t position) const {
  if (position + header_size > block_.size()) return std::nullopt;
  const char* at = block_.data() + position;
  const size_t size = load_little_endian<uint16_t>(at + 4);
  const auto type = static_cast<uint8_t>(at[6]);
  if (type < full_type || type > last_type) return std::nullopt;
  if (position + header_size + size > block_.size()) return std::nullopt;
  if (crc32c({at + 6, 1 + size}) != unmask(load_little_endian<uint32_t>(at))) return std::nullopt;
  return Piece{type, {at + header_size, size}};
}

std::optional<LogReader::Piece> LogReader::next_piece() {
  while (true) {
    if (position_ + header_size > block_.size()) {  // a trailer too short for a header
      position_ = 0;
      if (!next_block_(block_)) {
        block_.clear();
        return std::nullopt;
      }
      continue;
    }
    if (auto piece = piece_at(position_)) {
      position_ += header_size + piece->data.size();
      return piece;
    }
    gap_ = true;
    in_record_ = false;
    // The length may be the sound part: go on behind it if a piece stands there, else in the next block.
    const size_t behind = position_ + header_size + load_little_endian<uint16_t>(block_.data() + position_ + 4);
    position_ = piece_at(behind) ? behind : block_.size();
  }
}

std::optional<std::string_view> LogReader::next() {
  gap_ = in_record_ = false;
  record_.clear();
  while (auto piece = next_piece()) {
    switch (piece->type) {
      case full_type:
        if (in_record_) gap_ = true;
        in_record_ = false;
        record_.assign(piece->data);
        return record_;
      case first_type:
        if (in_record_) gap_ = true;
        record_.assign(piece->data);
        in_record_ = true;
        break;
      default:
        if (!in_record_) {  // the beginning is missing
          gap_ = true;
          break;
        }
        record_.append(piece->data);
        if (piece->type == last_type) {
          in_record_ = false;
          return record_;
        }
    }
  }
  if (in_record_) gap_ = true;
  in_record_ = false;
  return std::nullopt;
}

std::optional<LogRecordHead> log_record_head(std::string_view record) {
  if (record.size() < 12) return std::nullopt;
  return LogRecordHead{load_little_endian<uint64_t>(record.data()), load_little_endian<uint32_t>(record.data() + 8)};
}

void LogContinuity::saw(const LogReader& reader, std::string_view record) {
  const auto head = log_record_head(record);
  if (!head) {
    gap_ = true;
    return;
  }
  // A failed write leaves half a record; the log goes on in a new file with the same sequence number.
  if ((gap_ || reader.gap()) && head->sequence != next_sequence_) ++damaged_spots_;
  gap_ = false;
  next_sequence_ = head->sequence + head->count;
}

}  // namespace tidegate::store
