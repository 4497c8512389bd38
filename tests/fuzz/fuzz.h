// A condition that must hold for any input: the fuzzer keeps the input that breaks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/base/result.h"

#define FUZZ_EXPECT(condition) TIDEGATE_CHECK(condition)

[[nodiscard]] inline std::string_view as_text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}
