// The write-ahead logs in a database's folder, read in order. Thread: the caller's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "store/log_reader.h"

namespace tidegate::store {

// Every readable record of every log of `folder` to `visit`, in order, until it returns false. Returns the number of
// damaged spots; a torn tail is none. A log that cannot be read at all counts as one.
uint64_t read_logs(const std::string& folder, const std::function<bool(std::string_view record)>& visit);

}  // namespace tidegate::store
