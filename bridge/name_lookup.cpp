#include "bridge/name_lookup.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>

#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>

namespace tidegate::bridge {
namespace {

using GetAddrInfo = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

GetAddrInfo real_getaddrinfo() {
  static const auto real = reinterpret_cast<GetAddrInfo>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real;
}

struct Pins {
  struct Pin {
    size_t users = 0;
    std::string numeric;  // empty: no answer yet
  };
  std::mutex mutex;
  std::map<std::string, Pin, std::less<>> names;
};

Pins& pins() {
  static Pins* const all = new Pins;  // lives as long as Paho's threads may ask
  return *all;
}

}  // namespace

// For the interposed getaddrinfo below. Nothing: the name is not ours. Empty: ours, but without an answer.
std::optional<std::string> pinned_answer(const char* host) {
  Pins& all = pins();
  std::lock_guard lock(all.mutex);
  auto found = all.names.find(std::string_view(host));
  if (found == all.names.end()) return std::nullopt;
  return found->second.numeric;
}

int call_real_getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  GetAddrInfo real = real_getaddrinfo();
  return real ? real(node, service, hints, result) : EAI_FAIL;
}

bool is_numeric_address(const std::string& host) {
  unsigned char raw[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), raw) == 1 || inet_pton(AF_INET6, host.c_str(), raw) == 1;
}

Result<std::vector<std::string>> resolve_by_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  // The name is registered by its bridge: the interposed function would answer with EAI_AGAIN.
  const int rc = call_real_getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (rc != 0) return fail(ErrorCode::not_available, host + ": " + gai_strerror(rc));
  std::vector<std::string> numeric;
  for (addrinfo* one = list; one; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0) {
      numeric.emplace_back(text);
    }
  }
  freeaddrinfo(list);
  if (numeric.empty()) return fail(ErrorCode::not_available, host + ": no address");
  return numeric;
}

PinnedName::PinnedName(std::string host) : host_(std::move(host)) {
  std::lock_guard lock(pins().mutex);
  ++pins().names[host_].users;
}

PinnedName::~PinnedName() {
  std::lock_guard lock(pins().mutex);
  auto found = pins().names.find(host_);
  if (found != pins().names.end() && --found->second.users == 0) pins().names.erase(found);
}

void PinnedName::pin(const std::string& numeric) {
  std::lock_guard lock(pins().mutex);
  pins().names[host_].numeric = numeric;
}

struct NameLookup::State {
  std::mutex mutex;
  Resolver resolver;
  std::function<void()> wake;  // empty once the owner is gone
  std::set<std::string> running;
  std::map<std::string, Result<std::vector<std::string>>> answers;
};

NameLookup::NameLookup(Resolver resolver, std::function<void()> wake) : state_(std::make_shared<State>()) {
  state_->resolver = std::move(resolver);
  state_->wake = std::move(wake);
}

NameLookup::~NameLookup() {
  std::lock_guard lock(state_->mutex);
  state_->wake = nullptr;
}

void NameLookup::start(const std::string& host) {
  {
    std::lock_guard lock(state_->mutex);
    if (state_->answers.count(host)) return state_->wake();
    if (!state_->running.insert(host).second) return;
  }
  auto work = [state = state_, host] {
    pthread_setname_np(pthread_self(), "tg-lookup");
    auto answer = state->resolver(host);
    std::lock_guard lock(state->mutex);
    state->running.erase(host);
    state->answers.insert_or_assign(host, std::move(answer));
    if (state->wake) state->wake();
  };
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error& e) {
    std::lock_guard lock(state_->mutex);
    state_->running.erase(host);
    state_->answers.insert_or_assign(host, fail(ErrorCode::not_available, host + ": no thread: " + e.what()));
    state_->wake();
  }
}

std::optional<Result<std::vector<std::string>>> NameLookup::take(const std::string& host) {
  std::lock_guard lock(state_->mutex);
  auto found = state_->answers.find(host);
  if (found == state_->answers.end()) return std::nullopt;
  auto answer = std::move(found->second);
  state_->answers.erase(found);
  return answer;
}

}  // namespace tidegate::bridge

// The executable's own getaddrinfo: shared libraries (Paho) find it before the C library's. The answer for a pinned name
// is made by the C library from the numeric address, so it never blocks and its freeaddrinfo frees it.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node, const char* service,
                                                                  const addrinfo* hints, addrinfo** result) {
  using namespace tidegate::bridge;
  if (node) {
    if (auto numeric = pinned_answer(node)) {
      if (numeric->empty()) return EAI_AGAIN;
      addrinfo only_numeric{};
      if (hints) only_numeric = *hints;
      only_numeric.ai_flags |= AI_NUMERICHOST;
      only_numeric.ai_flags &= ~AI_ADDRCONFIG;
      return call_real_getaddrinfo(numeric->c_str(), service, &only_numeric, result);
    }
  }
  return call_real_getaddrinfo(node, service, hints, result);
}
