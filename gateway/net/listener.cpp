#include "gateway/net/listener.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "gateway/log/log.h"
#include "gateway/net/bind_address.h"
#include "gateway/net/core_loop.h"
#include "gateway/net/peer_address.h"
#include "gateway/net/plain_channel.h"
#include "gateway/net/proxy_channel.h"
#include "gateway/net/tls_channel.h"
#include "gateway/net/ws_channel.h"

namespace tidegate::net {
namespace {

constexpr auto address_retry = std::chrono::seconds(1);
constexpr uint64_t ws_frame_bytes_min = 1u << 20;  // of the limit: a frame may hold many small packets
constexpr Millis full_told_every = std::chrono::minutes(1);
constexpr auto descriptors_retry = std::chrono::milliseconds(200);
constexpr auto room_retry = std::chrono::milliseconds(100);

}  // namespace

Listener::Listener(CoreLoop& loop, ListenerOptions options)
    : loop_(loop), options_(std::move(options)), acceptor_(loop.io()), retry_(loop.io()) {
  set_rate();
}

void Listener::set_rate() {
  rate_.set(options_.admission.connect_rate, options_.admission.connect_burst, read_clock().mono);
}

std::string Listener::address() const {
  if (options_.unix_socket) return options_.unix_socket->path;
  bool v6 = options_.bind.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", options_.bind, options_.port) : fmt::format("{}:{}", options_.bind, options_.port);
}

void Listener::set_options(const ListenerOptions& options) {
  options_ = options;
  set_rate();
}

Status Listener::try_open(bool& absent) {
  if (options_.unix_socket) {
    Status listening = file_.listen(acceptor_, *options_.unix_socket);
    error_code ignored;
    if (!listening) acceptor_.close(ignored);
    if (listening) acceptor_.non_blocking(true, ignored);
    if (listening) return {};
    return fail(listening.error().code,
                fmt::format("listener {}: {}", options_.policy.name, listening.error().context));
  }
  error_code error;
  auto address = bind_address(options_.bind);
  if (!address) {
    absent = true;
    return fail(ErrorCode::not_available,
                fmt::format("listener {}: no interface \"{}\" with an address", options_.policy.name, options_.bind));
  }
  tcp::endpoint endpoint(*address, options_.port);
  acceptor_.open(Stream(endpoint.protocol()), error);
  if (!error) acceptor_.set_option(Acceptor::reuse_address(true), error);
  if (!error && address->is_v6()) acceptor_.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (!error) return {};
  error_code ignored;
  acceptor_.close(ignored);
  std::string what =
      fmt::format("listener {} cannot listen on {}: {}", options_.policy.name, this->address(), error.message());
  if (error == asio::error::address_in_use) {
    return fail(ErrorCode::in_use, what + "; stop the program that uses this port, or choose another one");
  }
  if (error == asio::error::access_denied) {
    return fail(ErrorCode::refused, what + "; ports below 1024 need the right to bind them");
  }
  absent = error.value() == EADDRNOTAVAIL || error == asio::error::address_family_not_supported;
  return fail(ErrorCode::not_available, what);
}

Status Listener::open() {
  bool absent = false;
  Status opened = try_open(absent);
  if (opened) {
    accept();
    return {};
  }
  if (!absent) return opened;
  log::net.warn("Waiting for address: listener={} bind={}; this box does not have it yet", options_.policy.name,
                options_.bind);
  wait_for_address();
  return {};
}

void Listener::wait_for_address() {
  retry_.expires_after(address_retry);
  retry_.async_wait([this](const error_code& error) {
    if (error) return;
    bool absent = false;
    if (Status opened = try_open(absent); opened) {
      log::net.info("Listening: listener={} address={}", options_.policy.name, address());
      accept();
    } else {
      if (!absent) log::net.error("{}", opened.error().context);
      wait_for_address();
    }
  });
}

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
  file_.remove();
  retry_.cancel();
}

void Listener::accept() {
  acceptor_.async_wait(Acceptor::wait_read, [this](const error_code& error) { acceptable(error); });
}

// Everybody comes back at once after an outage. Closing the door on them would make them knock again and again, each
// time at a cost; in the kernel's queue they wait for nothing, and are taken in the order in which they came.
void Listener::acceptable(const error_code& error) {
  if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
  if (!loop_.make_room_for_pending()) return hold();
  error_code failed = error;
  Socket socket(loop_.io());
  if (!failed) acceptor_.accept(socket, failed);
  if (!failed) {
    accepted(std::move(socket));
  } else if (failed != asio::error::would_block && failed != asio::error::try_again) {
    log::net.error("Cannot accept: listener={} error=\"{}\"", options_.policy.name, failed.message());
    return accept_later();
  }
  accept();
}

// Out of descriptors, for example: accepting again at once would spin.
void Listener::accept_later() {
  retry_.expires_after(descriptors_retry);
  retry_.async_wait([this](const error_code& cancelled) {
    if (!cancelled) accept();
  });
}

// Until there is room, and looks now and then whether somebody is to give way by now.
void Listener::hold() {
  held_ = true;
  retry_.expires_after(room_retry);
  retry_.async_wait([this](const error_code& cancelled) {
    if (!cancelled) go_on();
  });
}

void Listener::go_on() {
  if (std::exchange(held_, false) && acceptor_.is_open()) accept();
}

void Listener::accepted(Socket socket) {
  std::string peer = peer_text(socket.native_handle());
  auto full = loop_.full();
  if (!full && connections_ >= options_.connections_max) full = "the listener's limits.max_connections is reached";
  if (full) {
    loop_.count_refused_connection();
    report_full(*full);
  } else if (auto why = refusal(peer)) {
    loop_.count_refused_connection();
    log::net.debug("Connection refused: listener={} peer={} reason=\"{}\"", options_.policy.name, peer, *why);
  } else {
    error_code option_error;
    socket.non_blocking(true, option_error);
    if (options_.tcp_nodelay && !options_.unix_socket) socket.set_option(tcp::no_delay(true), option_error);
    ++connections_;
    auto channel = channel_on(socket.native_handle());
    bool refused = options_.proxy_protocol && !is_trusted(socket.native_handle());
    ConnId id = loop_.add_connection(std::move(socket), *this, std::move(channel), std::move(peer));
    if (refused) loop_.broker().refuse(id, "not one of this listener's trusted_proxies");
  }
}

// Once a minute, however many are turned away.
void Listener::report_full(std::string_view why) {
  Instant now = read_clock().mono;
  if (now < full_told_until_) return;
  full_told_until_ = now + full_told_every;
  log::net.warn("Connections refused: listener={} connections={} reason=\"{}\"", options_.policy.name, connections_,
                why);
}

// Before it costs anything; behind a proxy, the client's address is looked at when the header is there.
std::optional<std::string_view> Listener::refusal(const std::string& peer) {
  if (auto why = loop_.guards().refuses_one_more(rate_, read_clock().mono)) return why;
  return options_.proxy_protocol ? std::nullopt : loop_.guards().refuses(options_.admission, peer);
}

// What this listener has between the socket and MQTT; none: nothing.
std::unique_ptr<Channel> Listener::channel_on(int socket) const {
  std::unique_ptr<Channel> channel;
  if (options_.tls_context) channel = std::make_unique<TlsChannel>(socket, options_.tls_context);
  if (options_.websocket) {
    if (!channel) channel = std::make_unique<PlainChannel>(socket);
    uint64_t frame_bytes_max = std::max<uint64_t>(options_.policy.limits.packet_bytes_max, ws_frame_bytes_min);
    channel = std::make_unique<WsChannel>(std::move(channel), *options_.websocket, frame_bytes_max);
  }
  if (options_.proxy_protocol) channel = std::make_unique<ProxyChannel>(socket, std::move(channel));
  return channel;
}

// May whoever is at the other end speak for others?
bool Listener::is_trusted(int socket) const {
  if (options_.unix_socket) return true;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&from), &size) != 0) return false;
  return std::any_of(options_.trusted_proxies.begin(), options_.trusted_proxies.end(),
                     [&](const AddressRange& range) { return range.contains(from); });
}

}  // namespace tidegate::net
