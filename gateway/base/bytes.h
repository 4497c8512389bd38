// Big-endian integers in byte strings: the order of MQTT's wire (1.5.2) and of the store's keys.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tidegate {

template <std::unsigned_integral Int>
[[nodiscard]] constexpr Int to_big_endian(Int v) {
  if constexpr (sizeof(Int) == 1 || std::endian::native == std::endian::big) return v;
  if constexpr (sizeof(Int) == 2) return __builtin_bswap16(v);
  if constexpr (sizeof(Int) == 4) return __builtin_bswap32(v);
  if constexpr (sizeof(Int) == 8) return __builtin_bswap64(v);
}

template <std::unsigned_integral Int>
void append_big_endian(std::string& out, Int v) {
  v = to_big_endian(v);
  char raw[sizeof v];
  std::memcpy(raw, &v, sizeof v);
  out.append(raw, sizeof v);
}

// REQUIRES: at.size() >= sizeof(Int)
template <std::unsigned_integral Int>
[[nodiscard]] Int load_big_endian(std::string_view at) {
  Int v;
  std::memcpy(&v, at.data(), sizeof v);
  return to_big_endian(v);
}

// Reads front to back; once anything was missing, `ok` stays false and every read gives zero or empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <std::unsigned_integral Int>
  [[nodiscard]] Int integer() {
    if (rest_.size() < sizeof(Int)) return fail(), Int{0};
    Int v = load_big_endian<Int>(rest_);
    rest_.remove_prefix(sizeof(Int));
    return v;
  }
  [[nodiscard]] std::string_view bytes(size_t n) {
    if (rest_.size() < n) return fail(), std::string_view{};
    std::string_view v = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return v;
  }
  [[nodiscard]] std::string_view rest() { return bytes(rest_.size()); }
  [[nodiscard]] size_t remaining() const { return rest_.size(); }
  [[nodiscard]] bool ok() const { return ok_; }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace tidegate
