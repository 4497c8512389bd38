#pragma once

#include <cstddef>

namespace tidegate::mqtt {

// How often this test program has called operator new.
[[nodiscard]] size_t allocations();

}  // namespace tidegate::mqtt
