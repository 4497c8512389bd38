// Free space of the file system that holds the store. Thread: any.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/base/result.h"

namespace tidegate::store {

// Bytes that this user may still write on the file system of `path`. Errors: io, not_found.
[[nodiscard]] Result<uint64_t> free_disk_bytes(const std::string& path);

}  // namespace tidegate::store
