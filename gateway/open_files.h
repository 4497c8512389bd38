// How many files the program may have open; a connection is one.
#pragma once

#include <cstdint>

namespace tidegate {

// As many as the system allows: the limit that stands at the start is kept low for programs of an old kind. Returns it.
// Thread: main, before others.
uint64_t raise_open_files_limit();

}  // namespace tidegate
