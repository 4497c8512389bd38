// A listening socket: accepts connections for the core loop. An address that the box does not have yet is waited for.
// Thread: the core's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/broker/listener_policy.h"
#include "gateway/net/address_range.h"
#include "gateway/net/channel.h"
#include "gateway/net/guards.h"
#include "gateway/net/socket.h"
#include "gateway/net/tls_options.h"
#include "gateway/net/unix_socket.h"
#include "gateway/net/ws_upgrade.h"

namespace tidegate::net {

class CoreLoop;
class TlsContext;

struct ListenerOptions {
  std::string bind;  // an IPv4 or IPv6 address, or the name of an interface
  uint16_t port = 1883;
  std::optional<UnixSocketOptions> unix_socket;  // present: in place of bind and port
  std::optional<WsOptions> websocket;            // present: MQTT in WebSocket's frames
  bool proxy_protocol = false;                   // a proxy's header comes first, and nobody else may connect
  std::vector<AddressRange> trusted_proxies;     // those that may; for Unix sockets the file's mode decides
  uint32_t connections_max = 1000;               // further ones are closed at once and counted
  Admission admission;
  bool tcp_nodelay = true;
  std::optional<TlsOptions> tls;                  // present: TLS
  std::shared_ptr<const TlsContext> tls_context;  // what `tls` names, loaded. REQUIRED with tls
  broker::ListenerPolicy policy;
};

class Listener {
 public:
  Listener(CoreLoop& loop, ListenerOptions options);

  // Errors: in_use (port taken), refused (no permission). An absent address is no error:
  // it is tried again every second until it is there.
  [[nodiscard]] Status open();
  void close();
  [[nodiscard]] bool is_listening() const { return acceptor_.is_open(); }
  [[nodiscard]] const ListenerOptions& options() const { return options_; }
  void set_options(const ListenerOptions& options);  // bind and port stay
  // For connections from now on.
  void set_tls_context(std::shared_ptr<const TlsContext> context) { options_.tls_context = std::move(context); }
  [[nodiscard]] std::string address() const;  // "127.0.0.1:1883", "[::1]:1883"

  // There may be room again for those whose CONNECT has not come: goes on where it stopped accepting.
  void go_on();
  void connection_closed() { --connections_; }
  [[nodiscard]] uint32_t connections() const { return connections_; }

 private:
  [[nodiscard]] Status try_open(bool& absent);
  void set_rate();
  void wait_for_address();
  void accept();
  void acceptable(const error_code& error);
  void accepted(Socket socket);
  void accept_later();
  void hold();
  [[nodiscard]] std::unique_ptr<Channel> channel_on(int socket) const;
  [[nodiscard]] bool is_trusted(int socket) const;
  [[nodiscard]] std::optional<std::string_view> refusal(const std::string& peer);
  void report_full(std::string_view why);

  CoreLoop& loop_;
  ListenerOptions options_;
  Acceptor acceptor_;
  UnixSocketFile file_;
  Timer retry_;
  TokenBucket rate_;
  uint32_t connections_ = 0;
  Instant full_told_until_;
  bool held_ = false;  // who comes waits in the kernel's queue
};

}  // namespace tidegate::net
