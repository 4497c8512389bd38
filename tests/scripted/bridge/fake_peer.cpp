#include "tests/scripted/bridge/fake_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/bytes.h"
#include "gateway/base/result.h"

namespace tidegate::bridge {
namespace {

bool read_exactly(int fd, char* at, size_t n) {
  while (n > 0) {
    ssize_t got = recv(fd, at, n, 0);
    if (got <= 0) return false;
    at += got;
    n -= static_cast<size_t>(got);
  }
  return true;
}

void append_length(std::string& out, size_t n) {
  do {
    uint8_t byte = n & 0x7F;
    n >>= 7;
    out.push_back(static_cast<char>(byte | (n ? 0x80 : 0)));
  } while (n);
}

size_t read_length(ByteReader& reader) {
  size_t value = 0;
  for (int shift = 0; shift < 28; shift += 7) {
    uint8_t byte = reader.integer<uint8_t>();
    value |= size_t{byte & 0x7Fu} << shift;
    if (!(byte & 0x80)) break;
  }
  return value;
}

std::string packet(uint8_t first, const std::string& body) {
  std::string out(1, static_cast<char>(first));
  append_length(out, body.size());
  return out + body;
}

void append_text(std::string& out, const std::string& text) {
  append_big_endian(out, static_cast<uint16_t>(text.size()));
  out += text;
}

}  // namespace

struct FakePeer::Link {
  int fd = -1;
  size_t number = 0;
  int version = 4;
  size_t published = 0;
  std::mutex write_mutex;
  std::thread thread;
  void write(const std::string& bytes) {
    std::lock_guard lock(write_mutex);
    (void)!send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
};

FakePeer::FakePeer(PeerScript script, const char* numeric, uint16_t port) : script_(script) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, numeric, &address.sin_addr);
  TIDEGATE_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  TIDEGATE_CHECK(listen(listener_, 64) == 0);
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

FakePeer::~FakePeer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  cut();
  for (auto& link : links_) {
    link->thread.join();
    close(link->fd);
  }
}

void FakePeer::set(PeerScript script) {
  std::lock_guard lock(mutex_);
  script_ = script;
}

void FakePeer::cut() {
  std::lock_guard lock(mutex_);
  for (auto& link : links_) shutdown(link->fd, SHUT_RDWR);
}

void FakePeer::send_publish(const std::string& topic, const std::string& payload, int qos,
                            const std::string& properties) {
  std::lock_guard lock(mutex_);
  TIDEGATE_CHECK(!links_.empty());
  Link& link = *links_.back();
  std::string body;
  append_text(body, topic);
  if (qos > 0) append_big_endian(body, uint16_t{77});
  if (link.version == 5) {
    append_length(body, properties.size());
    body += properties;
  }
  link.write(packet(static_cast<uint8_t>(0x30 | qos << 1), body + payload));
}

void FakePeer::forget() {
  std::lock_guard lock(mutex_);
  publishes_ = {};
}

bool FakePeer::wait(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::vector<FakePeer::Connect> FakePeer::connects() const {
  std::lock_guard lock(mutex_);
  return connects_;
}
std::vector<FakePeer::Publish> FakePeer::publishes() const {
  std::lock_guard lock(mutex_);
  return publishes_;
}
std::vector<FakePeer::Subscribe> FakePeer::subscribes() const {
  std::lock_guard lock(mutex_);
  return subscribes_;
}
size_t FakePeer::accepts() const {
  std::lock_guard lock(mutex_);
  return accepts_;
}
size_t FakePeer::pubacks() const {
  std::lock_guard lock(mutex_);
  return pubacks_;
}
size_t FakePeer::disconnects() const {
  std::lock_guard lock(mutex_);
  return disconnects_;
}

void FakePeer::accept_loop() {
  while (!stopping_) {
    int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto link = std::make_shared<Link>();
    link->fd = fd;
    std::lock_guard lock(mutex_);
    ++accepts_;
    link->number = accepts_;
    links_.push_back(link);
    link->thread = std::thread([this, link] { serve(link); });
  }
}

void FakePeer::serve(const std::shared_ptr<Link>& link) {
  bool silent_close;
  {
    std::lock_guard lock(mutex_);
    silent_close = script_.close_on_accept;
  }
  while (!silent_close) {
    char first = 0;
    if (!read_exactly(link->fd, &first, 1)) break;
    std::string body;
    size_t length = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      char byte = 0;
      if (!read_exactly(link->fd, &byte, 1)) break;
      length |= size_t{static_cast<uint8_t>(byte) & 0x7Fu} << shift;
      if (!(byte & 0x80)) break;
    }
    body.resize(length);
    if (length > 0 && !read_exactly(link->fd, body.data(), length)) break;
    if (!handle(*link, static_cast<uint8_t>(first), body)) break;
  }
  shutdown(link->fd, SHUT_RDWR);
}

bool FakePeer::handle(Link& link, uint8_t first, const std::string& body) {
  switch (first >> 4) {
    case 1: return handle_connect(link, body);
    case 3: return handle_publish(link, first, body);
    case 4: {
      std::lock_guard lock(mutex_);
      ++pubacks_;
      return true;
    }
    case 8: return handle_subscribe(link, body);
    case 12: {
      std::lock_guard lock(mutex_);
      if (script_.answer_ping) link.write(packet(0xD0, ""));
      return true;
    }
    case 14: {
      std::lock_guard lock(mutex_);
      ++disconnects_;
      return false;
    }
    default: return true;
  }
}

bool FakePeer::handle_connect(Link& link, const std::string& body) {
  ByteReader reader(body);
  auto text = [&] { return std::string(reader.bytes(reader.integer<uint16_t>())); };
  Connect c;
  c.at = std::chrono::steady_clock::now();
  (void)text();
  c.version = reader.integer<uint8_t>();
  const uint8_t flags = reader.integer<uint8_t>();
  c.clean = flags & 2;
  c.keepalive = reader.integer<uint16_t>();
  if (c.version == 5) c.properties = std::string(reader.bytes(read_length(reader)));
  c.client_id = text();
  if (flags & 4) {
    if (c.version == 5) (void)reader.bytes(read_length(reader));
    c.will_topic = text();
    c.will_payload = text();
  }
  if (flags & 0x80) c.username = text();
  if (flags & 0x40) c.password = text();
  link.version = c.version;
  std::lock_guard lock(mutex_);
  connects_.push_back(c);
  if (!script_.answer_connect) return true;
  std::string ack;
  ack.push_back(script_.session_present ? 1 : 0);
  ack.push_back(static_cast<char>(script_.connack_code));
  if (c.version == 5) {
    std::string properties;
    if (script_.receive_maximum > 0) {
      properties.push_back(0x21);
      append_big_endian(properties, static_cast<uint16_t>(script_.receive_maximum));
    }
    append_length(ack, properties.size());
    ack += properties;
  }
  link.write(packet(0x20, ack));
  return script_.connack_code == 0 && !script_.close_after_connack;
}

bool FakePeer::handle_publish(Link& link, uint8_t first, const std::string& body) {
  ByteReader reader(body);
  Publish p;
  p.connection = link.number;
  p.qos = first >> 1 & 3;
  p.dup = first & 8;
  p.retain = first & 1;
  p.topic = std::string(reader.bytes(reader.integer<uint16_t>()));
  const uint16_t id = p.qos > 0 ? reader.integer<uint16_t>() : uint16_t{0};
  if (link.version == 5) p.properties = std::string(reader.bytes(read_length(reader)));
  p.payload = std::string(reader.rest());
  std::lock_guard lock(mutex_);
  publishes_.push_back(std::move(p));
  ++link.published;
  if (script_.close_after_publishes > 0 && link.published >= script_.close_after_publishes) return false;
  if (publishes_.back().qos == 0 || !script_.acknowledge) return true;
  std::string ack;
  append_big_endian(ack, id);
  if (link.version == 5 && script_.puback_code != 0) ack.push_back(static_cast<char>(script_.puback_code));
  link.write(packet(0x40, ack));
  return true;
}

bool FakePeer::handle_subscribe(Link& link, const std::string& body) {
  ByteReader reader(body);
  const uint16_t id = reader.integer<uint16_t>();
  std::string ack;
  append_big_endian(ack, id);
  if (link.version == 5) {
    (void)reader.bytes(read_length(reader));
    ack.push_back(0);
  }
  std::lock_guard lock(mutex_);
  while (reader.remaining() > 0) {
    Subscribe s;
    s.filter = std::string(reader.bytes(reader.integer<uint16_t>()));
    s.options = reader.integer<uint8_t>();
    s.packet_id = id;
    ack.push_back(static_cast<char>(s.options & 3));
    subscribes_.push_back(s);
  }
  link.write(packet(0x90, ack));
  return true;
}

}  // namespace tidegate::bridge
