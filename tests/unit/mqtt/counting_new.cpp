// Alone in its file: where the compiler sees both sides, it takes malloc's memory under delete for a mistake.
#include "tests/unit/mqtt/counting_new.h"

#include <cstdlib>
#include <new>

namespace {
size_t count = 0;
}

size_t tidegate::mqtt::allocations() {
  return count;
}

void* operator new(size_t size) {
  ++count;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}

void operator delete(void* p) noexcept {
  std::free(p);
}

void operator delete(void* p, size_t) noexcept {
  std::free(p);
}
