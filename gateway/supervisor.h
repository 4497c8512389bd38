// Words with whoever started the program: systemd through NOTIFY_SOCKET, or the foreground half of `-d`.
#pragma once

#include <string_view>

namespace tidegate::supervisor {

// sd_notify(3) without its library: "READY=1", "STOPPING=1". Nothing happens without NOTIFY_SOCKET.
void notify(std::string_view state);

// `-d`: splits the program in two before any thread exists. The foreground half waits until `ready` or the end of the
// background half, and exits with 0 or that half's exit code. Returns in the background half.
void go_to_background();
// The background half serves now; output to a terminal ends.
void ready();

}  // namespace tidegate::supervisor
