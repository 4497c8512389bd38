#include "bridge/paho_link.h"

#include <mqtt/async_client.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "bridge/paho_session.h"
#include "bridge/reason_text.h"
#include "bridge/socket_cut.h"
#include "bridge/tls_reason.h"
#include "bridge/wire_properties.h"

namespace tidegate::bridge {
namespace {

// How this file lives with Paho C++ 1.2.0 on C 1.3.12:
// - One client object for each connection, never reconnected: a lost connection leaves no state in Paho that could send
//   something twice or out of order. The uplink resends QoS 1 from the store; QoS 2 the new client restores by itself
//   (paho_session.h).
// - Every callback runs on Paho's threads under the lock of all its clients: it hands over and returns; `message` may
//   wait for the disk. No exception leaves a callback. Nothing in a callback waits for Paho or destroys a client.
// - After a client's destructor no callback of it runs or begins: callbacks and MQTTAsync_destroy take the same lock.
// - connect_options and ssl_options lose or dangle what they point to when copied: they are built in place, live as
//   members next to the client, and no error handler is registered (the copy that connect() takes would be its context; see tls_reason.h).

constexpr uint32_t session_expiry_seconds = 30u * 24 * 3600;
// Paho's destroy forgets to free topic and payload of what it has not written yet (NULLPublishCommands): few at a time.
constexpr int unsent_max = 24;

// Paho's threads end with its last client and take up to seconds for it: one client that never connects keeps them for
// as long as any link lives.
std::shared_ptr<mqtt::async_client> anchor() {
  static std::mutex mutex;
  static std::weak_ptr<mqtt::async_client> weak;
  std::lock_guard lock(mutex);
  auto strong = weak.lock();
  if (!strong) {
    // Paho would send every connection through these, MQTT included.
    for (const char* name : {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}) unsetenv(name);
    strong = std::make_shared<mqtt::async_client>("tcp://127.0.0.1:1", "tidegate-anchor", mqtt::create_options());
    weak = strong;
  }
  return strong;
}

// The text of a failed operation. Its token is complete, so this does not wait.
std::string message_of(const mqtt::token& token) {
  try {
    const_cast<mqtt::token&>(token).try_wait();
  } catch (const mqtt::exception& e) {
    return e.get_message();
  } catch (...) {
  }
  return {};
}

mqtt::properties to_paho(const Message& message, Seconds expiry) {
  mqtt::properties out;
  auto items = parse_wire_properties(message.properties);
  for (const WireProperty& item : items ? *items : std::vector<WireProperty>{}) {
    const auto code = static_cast<mqtt::property::code>(item.id);
    switch (item.id) {
      case WireProperty::Id::payload_format: out.add(mqtt::property(code, int32_t{item.number})); break;
      case WireProperty::Id::user:
        out.add(mqtt::property(code, std::string(item.text), std::string(item.second)));
        break;
      default: out.add(mqtt::property(code, std::string(item.text))); break;
    }
  }
  if (expiry != no_expiry) {
    out.add(mqtt::property(mqtt::property::MESSAGE_EXPIRY_INTERVAL, static_cast<int32_t>(expiry.count())));
  }
  return out;
}

void from_paho(const MQTTProperties& properties, Message& out) {
  for (int i = 0; i < properties.count; ++i) {
    const MQTTProperty& one = properties.array[i];
    WireProperty item;
    item.id = static_cast<WireProperty::Id>(one.identifier);
    switch (one.identifier) {
      case MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR: item.number = one.value.byte; break;
      case MQTTPROPERTY_CODE_CONTENT_TYPE:
      case MQTTPROPERTY_CODE_RESPONSE_TOPIC:
      case MQTTPROPERTY_CODE_CORRELATION_DATA:
        item.text = {one.value.data.data, static_cast<size_t>(one.value.data.len)};
        break;
      case MQTTPROPERTY_CODE_USER_PROPERTY:
        item.text = {one.value.data.data, static_cast<size_t>(one.value.data.len)};
        item.second = {one.value.value.data, static_cast<size_t>(one.value.value.len)};
        break;
      case MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL:
        out.expires = read_clock().wall + Seconds(one.value.integer4);
        continue;
      default: continue;
    }
    append_wire_property(out.properties, item);
  }
}

template <class T>
std::optional<T> property_of(const mqtt::properties& all, mqtt::property::code code) {
  if (!all.contains(code)) return std::nullopt;
  return mqtt::get<T>(all, code);
}

Granted granted_by(const mqtt::connect_response& response, int protocol) {
  Granted out;
  out.session_present = response.is_session_present();
  if (protocol < 5) return out;
  const mqtt::properties& p = response.get_properties();
  if (auto v = property_of<uint16_t>(p, mqtt::property::RECEIVE_MAXIMUM)) out.receive_maximum = *v;
  if (auto v = property_of<uint8_t>(p, mqtt::property::MAXIMUM_QOS)) out.maximum_qos = static_cast<Qos>(*v & 1);
  if (auto v = property_of<uint8_t>(p, mqtt::property::RETAIN_AVAILABLE)) out.retain_available = *v != 0;
  if (auto v = property_of<uint32_t>(p, mqtt::property::MAXIMUM_PACKET_SIZE)) out.max_packet_size = *v;
  return out;
}

// Paho pings after this time of silence, waits as long again for the answer, and looks at both every tenth of it (1 to
// 5 s): together at most 1.5 x keepalive.
std::chrono::seconds ping_interval(Seconds keepalive) {
  const int64_t look = std::clamp<int64_t>(keepalive.count() / 10, 1, 5);
  return std::chrono::seconds(std::max<int64_t>(1, (keepalive.count() * 3 / 2 - 2 * look - 1) / 2));
}

// One connection: the client, what it points to, and the callbacks.
class Connection {
 public:
  Connection(LinkEvents& events, const ConnectRequest& request)
      : events_(events), request_(request), connecting_(*this), publishing_(*this), subscribing_(*this) {}
  ~Connection() {
    closing_ = true;
    client_.reset();
  }

  void connect() {
    const Options& o = *request_.options;
    const std::string host = request_.address.host.find(':') == std::string::npos ? request_.address.host
                                                                                  : "[" + request_.address.host + "]";
    const std::string uri = (o.tls.enabled ? "ssl://" : "tcp://") + host + ":" + std::to_string(request_.address.port);
    create_.set_mqtt_verison(request_.protocol);
    create_.set_send_while_disconnected(false);
    create_.set_max_buffered_messages(unsent_max);
    if (request_.exchanges) {
      request_.exchanges->connection_begins();
      session_.emplace(request_, events_, [this] { cut(); });
    }
    client_ = std::make_unique<mqtt::async_client>(uri, o.client_id, create_, session_ ? &*session_ : nullptr);
    client_->set_message_callback([this](mqtt::const_message_ptr m) { on_message(*m); });
    client_->set_connection_lost_handler([this](const std::string& cause) { on_lost(cause); });
    client_->set_disconnected_handler([this](const mqtt::properties&, mqtt::ReasonCode code) { on_disconnect(code); });
    fill_connect_options(o);
    client_->connect(connect_, nullptr, connecting_);
  }

  Status publish(LinkToken token, const MessagePtr& message, Qos qos, bool retain, Seconds expiry) {
    // Topic and payload are shared with the message, not copied.
    auto topic = std::shared_ptr<const std::string>(message, &message->topic);
    auto payload = std::shared_ptr<const std::string>(message, &message->payload);
    const bool v5 = request_.protocol >= 5;
    const auto given = client_->publish(
        mqtt::message::create(mqtt::string_ref(topic), mqtt::binary_ref(payload), static_cast<int>(qos), retain,
                              v5 ? to_paho(*message, expiry) : mqtt::properties()),
        reinterpret_cast<void*>(static_cast<uintptr_t>(token)), publishing_);
    if (qos != Qos::at_most_once) note_id(*given);
    return {};
  }

  // One SUBSCRIBE for each filter: given several, Paho C++ 1.2.0 hands the C library a pointer to options that are gone.
  Status subscribe(std::span<const RemoteFilter> filters) {
    {
      std::lock_guard lock(codes_mutex_);
      codes_.assign(filters.size(), 0);
      codes_missing_ = filters.size();
    }
    for (uintptr_t i = 0; i < filters.size(); ++i) {
      mqtt::subscribe_options options;
      if (request_.protocol >= 5) {
        options = mqtt::subscribe_options(filters[i].no_local, true, mqtt::subscribe_options::SEND_RETAINED_ON_NEW);
      }
      note_id(*client_->subscribe(filters[i].filter, static_cast<int>(filters[i].qos), reinterpret_cast<void*>(i),
                                  subscribing_, options));
    }
    return {};
  }

  void disconnect(Millis limit) {
    if (!connected_ || lost_) return;
    leaving_ = true;
    // 0: Paho would wait for what is in flight and look at it every three seconds only.
    client_->disconnect(0)->wait_for(limit);
  }

 private:
  template <void (Connection::*success)(const mqtt::token&), void (Connection::*failure)(const mqtt::token&)>
  class Listener : public mqtt::iaction_listener {
   public:
    explicit Listener(Connection& connection) : connection_(connection) {}
    void on_success(const mqtt::token& token) override { call(success, token); }
    void on_failure(const mqtt::token& token) override { call(failure, token); }

   private:
    void call(void (Connection::*member)(const mqtt::token&), const mqtt::token& token) {
      if (connection_.closing_) return;
      try {
        (connection_.*member)(token);
      } catch (...) {
        connection_.on_lost("unexpected answer");
      }
    }
    Connection& connection_;
  };

  void note_id(const mqtt::token& given) const {
    if (request_.exchanges) request_.exchanges->id_given(static_cast<PacketId>(given.get_message_id()));
  }
  void cut() const { cut_sockets_to(request_.numeric, request_.address.port); }

  void fill_connect_options(const Options& o) {
    const bool clean = o.clean_session || request_.clean_start;
    // The version first: it decides what the other setters do.
    connect_.set_mqtt_version(request_.protocol);
    connect_.set_automatic_reconnect(false);
    connect_.set_keep_alive_interval(ping_interval(o.keepalive));
    // The bridge's own limit comes first and says more.
    connect_.set_connect_timeout(static_cast<int>(o.connect_timeout.count() / 1000 + 10));
    connect_.set_max_inflight(static_cast<int>(request_.window) + 10);
    if (!o.username.empty()) connect_.set_user_name(o.username);
    if (!o.password.empty()) connect_.set_password(o.password);
    if (request_.protocol >= 5) {
      connect_.set_clean_start(clean);
      if (!o.clean_session) {
        mqtt::properties properties;
        properties.add(mqtt::property(mqtt::property::SESSION_EXPIRY_INTERVAL, int32_t{session_expiry_seconds}));
        connect_.set_properties(properties);
      }
    } else {
      connect_.set_clean_session(clean);
    }
    if (o.notifications && !o.notifications_local_only && !o.notification_topic.empty()) {
      connect_.set_will_message(mqtt::message(o.notification_topic, std::string("0"), 1, true));
    }
    if (!o.tls.enabled) return;
    if (!o.tls.ca_file.empty()) tls_.set_trust_store(o.tls.ca_file);
    if (!o.tls.ca_path.empty()) tls_.ca_path(o.tls.ca_path);
    if (!o.tls.cert_file.empty()) tls_.set_key_store(o.tls.cert_file);
    if (!o.tls.key_file.empty()) tls_.set_private_key(o.tls.key_file);
    if (!o.tls.key_password.empty()) tls_.set_private_key_password(o.tls.key_password);
    if (!o.tls.alpn.empty()) tls_.set_alpn_protos(o.tls.alpn);
    tls_.set_enable_server_cert_auth(true);
    tls_.set_verify(o.tls.verify_host);
    connect_.set_ssl(tls_);
  }

  void on_connected(const mqtt::token& token) {
    const Granted granted = granted_by(token.get_connect_response(), request_.protocol);
    connected_ = true;
    if (session_) session_->connected();
    events_.connected(granted);
  }

  void on_connect_failed(const mqtt::token& token) {
    LinkFailure f;
    const std::string text = message_of(token);
    const int reason = request_.protocol >= 5 ? static_cast<int>(token.get_reason_code()) : 0;
    const int code = reason > 0 ? reason : token.get_return_code();
    const TlsOutcome tls = take_tls_outcome();
    if (code > 0 && code < 256) {
      f.step = Step::connack;
      f.code = code;
      f.refused = true;
      f.version_refused = code == 1 || code == 0x84;
      f.text = connack_text(code, request_.protocol);
    } else if (request_.options->tls.enabled && tls.finished && !tls.established) {
      f.step = Step::tls;
      f.code = code;
      f.text = "TLS: " + (tls.reason.empty() ? "handshake failed" : tls.reason);
    } else if (tls.established && text.find("TLS") != std::string::npos) {
      f.step = Step::tls;
      f.code = code;
      f.text = "TLS: the certificate is not for host \"" + request_.address.host + "\"";
    } else if (text.find("socket error") != std::string::npos) {
      f.step = Step::connack;
      f.code = code;
      f.closed_unanswered = true;
      f.text = "the remote closed the connection without an answer";
    } else {
      f.step = Step::tcp;
      f.code = code;
      f.text = text.empty() ? "no connection (Paho " + std::to_string(code) + ")" : text;
    }
    events_.connect_failed(std::move(f));
  }

  void on_published(const mqtt::token& token) { events_.acknowledged(token_of(token)); }
  void on_publish_failed(const mqtt::token& token) {
    int code = request_.protocol >= 5 ? static_cast<int>(token.get_reason_code()) : 0;
    if (code >= 0x80) return events_.rejected(token_of(token), code, reason_text(code));
    code = token.get_return_code();
    events_.rejected(token_of(token), code < 0 ? code : -1, message_of(token));
  }
  static LinkToken token_of(const mqtt::token& token) { return reinterpret_cast<uintptr_t>(token.get_user_context()); }

  void on_subscribed(const mqtt::token& token) {
    const auto codes = token.get_subscribe_response().get_reason_codes();
    granted(token, codes.empty() ? 0 : static_cast<int>(codes.front()));
  }
  void on_subscribe_failed(const mqtt::token& token) {
    const int reason = request_.protocol >= 5 ? static_cast<int>(token.get_reason_code()) : token.get_return_code();
    if (reason >= 0x80) return granted(token, reason);
    on_lost("SUBSCRIBE failed: " + message_of(token));
  }
  // The answer to one filter; all of them together are told.
  void granted(const mqtt::token& token, int code) {
    {
      std::lock_guard lock(codes_mutex_);
      codes_.at(reinterpret_cast<uintptr_t>(token.get_user_context())) = code;
      if (--codes_missing_ > 0) return;
    }
    events_.subscribed(codes_);
  }

  void on_lost(const std::string& cause) {
    if (closing_ || leaving_ || !connected_ || lost_.exchange(true)) return;
    LinkFailure f;
    f.step = Step::link;
    f.text = cause.empty() ? "the connection broke" : cause;
    events_.lost(std::move(f));
  }
  // The remote's DISCONNECT (5.0). Paho does not report the loss of this connection in any other way.
  void on_disconnect(mqtt::ReasonCode code) {
    if (closing_ || leaving_ || !connected_ || lost_.exchange(true)) return;
    LinkFailure f;
    f.step = Step::link;
    f.code = static_cast<int>(code);
    f.text = "DISCONNECT by the remote: " + reason_text(f.code);
    events_.lost(std::move(f));
  }

  void on_message(const mqtt::message& m) {
    // Also while closing: what returns from here is acknowledged, so it must have been stored.
    bool taken = false;
    try {
      Message out;
      out.topic = m.get_topic();
      out.payload = m.get_payload_str();
      out.qos = static_cast<Qos>(m.get_qos());
      out.retain = m.is_retained();
      if (request_.protocol >= 5) from_paho(m.get_properties().c_struct(), out);
      const bool has_id = session_ && out.qos == Qos::exactly_once;
      taken = has_id && session_->receiving() == 0
                  ? true
                  : events_.message(std::move(out), has_id ? session_->receiving() : 0);
    } catch (...) {
    }
    if (!taken) cut();
  }

  LinkEvents& events_;
  const ConnectRequest request_;
  std::atomic<bool> closing_ = false, leaving_ = false, connected_ = false, lost_ = false;
  std::mutex codes_mutex_;
  std::vector<int> codes_;  // of SUBACK, one for each filter
  size_t codes_missing_ = 0;
  Listener<&Connection::on_connected, &Connection::on_connect_failed> connecting_;
  Listener<&Connection::on_published, &Connection::on_publish_failed> publishing_;
  Listener<&Connection::on_subscribed, &Connection::on_subscribe_failed> subscribing_;
  std::optional<PahoSession> session_;
  mqtt::create_options create_;
  mqtt::ssl_options tls_;
  mqtt::connect_options connect_;
  std::unique_ptr<mqtt::async_client> client_;  // destroyed first
};

// Runs `action` and turns what Paho throws into an Error.
template <class Action>
Status guarded(const char* what, Action&& action) {
  try {
    return action();
  } catch (const mqtt::exception& e) {
    const bool full = e.get_return_code() == MQTTASYNC_MAX_BUFFERED_MESSAGES;
    return fail(full ? ErrorCode::no_space : ErrorCode::not_available, std::string(what) + ": " + e.what());
  } catch (const std::exception& e) {
    return fail(ErrorCode::not_available, std::string(what) + ": " + e.what());
  }
}

class PahoLink : public CloudLink {
 public:
  explicit PahoLink(LinkEvents& events) : events_(events), anchor_(anchor()) {}
  ~PahoLink() override { close(); }

  Status connect(const ConnectRequest& request) override {
    close();
    return guarded("connect", [&]() -> Status {
      connection_ = std::make_unique<Connection>(events_, request);
      connection_->connect();
      return {};
    });
  }
  Status publish(LinkToken token, MessagePtr message, Qos qos, bool retain, Seconds expiry) override {
    if (!connection_) return fail(ErrorCode::not_available, "publish: not connected");
    return guarded("publish", [&] { return connection_->publish(token, message, qos, retain, expiry); });
  }
  Status subscribe(std::span<const RemoteFilter> filters) override {
    if (!connection_) return fail(ErrorCode::not_available, "subscribe: not connected");
    return guarded("subscribe", [&] { return connection_->subscribe(filters); });
  }
  void disconnect(Millis limit) override {
    if (!connection_) return;
    (void)guarded("disconnect", [&]() -> Status {
      connection_->disconnect(limit);
      return {};
    });
    close();
  }
  void close() override { connection_.reset(); }

 private:
  LinkEvents& events_;
  const std::shared_ptr<mqtt::async_client> anchor_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

std::unique_ptr<CloudLink> make_paho_link(LinkEvents& events) {
  return std::make_unique<PahoLink>(events);
}

}  // namespace tidegate::bridge
