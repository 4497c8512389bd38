#include "tests/bench/crowd.h"

#include <sys/resource.h>

namespace bench {
namespace {

constexpr rlim_t open_files_spare = 100;

bool is_loopback(const Address& address) {
  if (address.storage.ss_family != AF_INET) return false;
  const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
  return ntohl(ipv4->sin_addr.s_addr) >> 24 == 127;
}

}  // namespace

void allow_open_files(uint32_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= connections + open_files_spare) return;
  rlim_t allowed = limit.rlim_max > open_files_spare ? limit.rlim_max - open_files_spare : 0;
  throw Failure("ulimit -Hn is " + std::to_string(limit.rlim_max) + ": it allows " + std::to_string(allowed) +
                " connections, not " + std::to_string(connections));
}

ClientOptions crowd_member(const LoadOptions& options, const Address& broker, uint32_t n) {
  ClientOptions member{{options.version, options.id + "-" + std::to_string(n)}, options.path};
  if (is_loopback(broker)) member.path.source = device_address(n / options.per_address);
  return member;
}

}  // namespace bench
