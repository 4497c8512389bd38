#include "gateway/net/core_loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "gateway/log/log.h"

namespace tidegate::net {
namespace {

constexpr size_t scratch_bytes = 64 * 1024;
constexpr int handlers_per_turn = 128;  // bounds how long acknowledgements wait for a busy turn's end
constexpr Millis openings_per_turn{4};  // of TLS handshakes and their like; one at least, and one while others wait
constexpr size_t spare_buffers_max = 256;
constexpr size_t spare_capacity_max = 256 * 1024;
constexpr Millis told_again_after{60'000};
constexpr Millis linger{5000};  // for the last bytes of a connection being closed

}  // namespace

CoreLoop::CoreLoop(const CoreLoopOptions& options, store::Store& store, store::Committer& committer,
                   broker::Events& events)
    : options_(options),
      store_(store),
      committer_(committer),
      io_(1),
      broker_(options.limits, *this, events),
      reader_("tg-reader", 1, 100'000),
      workers_("tg-worker", 2, 10'000),
      timer_(io_),
      pending_({[this](ConnId id) { return whose_turn(id); }, [this](ConnId id) { return addresses_[id.slot]; }}),
      scratch_(scratch_bytes) {}

CoreLoop::~CoreLoop() = default;

Status CoreLoop::add_listener(ListenerOptions options) {
  auto listener = std::make_unique<Listener>(*this, std::move(options));
  if (Status opened = listener->open(); !opened) return opened;
  listeners_.push_back(std::move(listener));
  look_at_address_limits();
  return {};
}

bool CoreLoop::update_listener(const ListenerOptions& options) {
  for (const auto& listener : listeners_) {
    if (listener->options().policy.name != options.policy.name) continue;
    listener->set_options(options);
    look_at_address_limits();
    return true;
  }
  return false;
}

void CoreLoop::remove_listener(const std::string& name) {
  for (auto at = listeners_.begin(); at != listeners_.end(); ++at) {
    if ((*at)->options().policy.name != name) continue;
    (*at)->close();
    closed_listeners_.push_back(std::move(*at));
    listeners_.erase(at);
    look_at_address_limits();
    return;
  }
}

void CoreLoop::look_at_address_limits() {
  bool limited = std::any_of(listeners_.begin(), listeners_.end(), [](const auto& listener) {
    return listener->options().admission.connections_per_address_max != UINT32_MAX;
  });
  guards_.count_addresses(limited, addresses_);
}

void CoreLoop::set_limits(const broker::Limits& limits, uint32_t connections_max, uint32_t pending_connects_max,
                          uint64_t pending_bytes_max) {
  options_.connections_max = connections_max;
  options_.pending_connects_max = pending_connects_max;
  options_.pending_bytes_max = pending_bytes_max;
  broker_.set_limits(limits);
}

void CoreLoop::set_store_full(bool full) {
  store_full_ = full;
  look_at_store();
}

void CoreLoop::set_memory_short(bool is_short) {
  memory_short_ = is_short;
  look_at_store();
}

Status CoreLoop::commit_now() {
  submit_batch();
  if (submitted_.empty()) return {};
  if (Status written = committer_.wait(submitted_.back().first); !written) return written;
  take_commits();
  return {};
}

void CoreLoop::run(Millis stop_limit) {
  auto keep_running = asio::make_work_guard(io_);
  while (!stopping_) turn();
  drain_and_close(stop_limit);
}

void CoreLoop::turn() {
  io_.run_one();
  int handlers = 1;
  while (handlers < handlers_per_turn && io_.poll_one() > 0) ++handlers;
  more_waits_ = handlers == handlers_per_turn;
  end_turn();
}

void CoreLoop::enter_turn() {
  if (in_turn_) return;
  in_turn_ = true;
  broker_.begin_turn(read_clock());
}

void CoreLoop::end_turn() {
  if (!in_turn_) return;
  if (!openings_.empty()) run_openings();
  broker_.run_deadlines();
  do {
    resume_connections();
    submit_batch();
    flush_connections();
  } while (!broker_.batch().empty() || !to_resume_.empty());
  if (has_room_for_pending()) {
    for (auto& listener : listeners_) listener->go_on();
  }
  arm_timer();
  in_turn_ = false;
}

void CoreLoop::run_openings() {
  Instant until = read_clock().mono + (more_waits_ ? Millis{0} : openings_per_turn);
  do {
    ConnId id = openings_.front();
    openings_.pop_front();
    if (Connection* conn = find(id)) conn->open_step();
  } while (!openings_.empty() && read_clock().mono < until);
  if (!openings_.empty()) asio::post(io_, [this] { enter_turn(); });
}

void CoreLoop::submit_batch() {
  auto number = broker_.seal();
  if (!number) return;
  submitted_.emplace_back(committer_.submit(broker_.batch()), *number);
  if (committer_.pending_bytes() > options_.pending_bytes_max) look_at_store();
}

void CoreLoop::commit_progressed() {
  if (!commit_posted_.exchange(true)) {
    asio::post(io_, [this] {
      commit_posted_ = false;
      take_commits();
    });
  }
}

void CoreLoop::take_commits() {
  enter_turn();
  Ticket committed = committer_.committed();
  BatchNumber newest{0};
  while (!submitted_.empty() && submitted_.front().first <= committed) {
    newest = submitted_.front().second;
    submitted_.pop_front();
  }
  if (newest.value != 0) broker_.committed(newest);
  look_at_store();
}

void CoreLoop::look_at_store() {
  using broker::StoreState;
  auto health = committer_.health().state;
  broker::StoreStates states;
  if (committer_.pending_bytes() > options_.pending_bytes_max) {
    states.messages = StoreState::busy;
    states.control = health == store::Health::State::failing ? StoreState::refusing : StoreState::busy;
  }
  // Little space is left for small records alone: of them no more wait than of anything.
  if (store_full_ || memory_short_ || health != store::Health::State::ok) states.messages = StoreState::refusing;
  broker_.set_store_state(states);
}

// Indexes, since a failed write ends a connection, and its will may make others dirty.
void CoreLoop::flush_connections() {
  for (size_t i = 0; i < dirty_.size(); ++i) {
    ConnId id = dirty_[i];
    Connection* conn = find(id);
    if (!conn) continue;
    if (conn->flush()) {
      destroy(id);
    } else if (conn->is_closing()) {
      lingering_.push_back({id, read_clock().mono + linger});
    }
  }
  dirty_.clear();
  if (!lingering_.empty()) end_lingering();
}

void CoreLoop::end_lingering() {
  Instant now = read_clock().mono;
  while (!lingering_.empty() && lingering_.front().until <= now) {
    destroy(lingering_.front().id);
    lingering_.erase(lingering_.begin());
  }
}

void CoreLoop::destroy(ConnId id) {
  Connection* conn = find(id);
  if (!conn) return;
  if (conn->listener()) conn->listener()->connection_closed();
  guards_.closed(std::exchange(addresses_[id.slot], {}));
  connections_[id.slot].reset();
  free_slots_.push_back(id.slot);
  --connections_now_;
}

void CoreLoop::arm_timer() {
  Instant next = broker_.next_deadline();
  if (!lingering_.empty()) next = std::min(next, lingering_.front().until);
  if (next >= timer_at_ || next == Instant::never()) return;
  timer_at_ = next;
  timer_.expires_at(std::chrono::steady_clock::time_point(next.since_start));
  timer_.async_wait([this](const error_code& error) {
    if (error) return;
    timer_at_ = Instant::never();
    enter_turn();
  });
}

void CoreLoop::post(std::function<void()> task) {
  asio::post(io_, [this, task = std::move(task)] {
    enter_turn();
    task();
  });
}

void CoreLoop::stop() {
  asio::post(io_, [this] { stopping_ = true; });
}

// Wills fire and their batch is committed before the program ends, unless the disk takes too long.
void CoreLoop::drain_and_close(Millis limit) {
  Instant deadline = read_clock().mono + limit;
  for (auto& listener : listeners_) listener->close();
  enter_turn();
  broker_.shut_down();
  end_turn();
  while ((!submitted_.empty() || connections_now_ > 0) && read_clock().mono < deadline) {
    io_.run_one_for(std::chrono::milliseconds(20));
    enter_turn();
    end_turn();
  }
  if (!submitted_.empty()) log::net.error("Stopping before the last batch was on disk: batches={}", submitted_.size());
}

Connection* CoreLoop::find(ConnId id) {
  return id.slot < connections_.size() && generations_[id.slot] == id.generation ? connections_[id.slot].get()
                                                                                 : nullptr;
}

ConnId CoreLoop::add_connection(Socket socket, Listener& listener, std::unique_ptr<Channel> channel, std::string peer) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(connections_.size()));
    connections_.emplace_back();
    generations_.push_back(0);
    addresses_.emplace_back();
  }
  uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  ConnId id{slot, ++generations_[slot]};
  connections_[slot] = std::make_unique<Connection>(*this, std::move(socket), id, &listener, std::move(channel));
  ++connections_now_;
  ++connections_accepted_;
  if (!listener.options().proxy_protocol) guards_.opened(addresses_[slot] = PeerKey::of(peer));
  log::net.debug("Connection accepted: listener={} peer={}", listener.options().policy.name, peer);
  enter_turn();
  broker_.opened(id, listener.options().policy, std::move(peer));
  pending_.add(id, read_clock().mono);
  connections_[slot]->start_reading();
  return id;
}

PendingConnects::Turn CoreLoop::whose_turn(ConnId id) {
  using Turn = PendingConnects::Turn;
  Connection* conn = find(id);
  if (!conn || !broker_.is_to_speak_first(id)) return Turn::through;
  return conn->has_unread() ? Turn::ours : Turn::theirs;
}

bool CoreLoop::make_room_for_pending() {
  if (has_room_for_pending()) return true;
  Instant now = read_clock().mono;
  auto silent = pending_.gives_way(options_.pending_patience, now);
  if (!silent) return false;
  enter_turn();
  count_refused_connection();
  guards_.count_gave_way();
  if (now >= gave_way_told_) {
    gave_way_told_ = now + told_again_after;
    log::net.warn("Closing silent connections for newcomers: address={} max_pending_connects={} closed={}",
                  addresses_[silent->slot].text(), options_.pending_connects_max, guards_.counts().gave_way);
  }
  broker_.refuse(*silent, "no CONNECT while others wait to come in");
  return true;
}

std::unique_ptr<broker::OutBuffer> CoreLoop::borrow_buffer() {
  if (spare_buffers_.empty()) return std::make_unique<broker::OutBuffer>();
  auto buffer = std::move(spare_buffers_.back());
  spare_buffers_.pop_back();
  return buffer;
}

void CoreLoop::give_back(std::unique_ptr<broker::OutBuffer> buffer) {
  if (spare_buffers_.size() >= spare_buffers_max || buffer->own().capacity() > spare_capacity_max) return;
  buffer->clear();
  spare_buffers_.push_back(std::move(buffer));
}

broker::OutBuffer* CoreLoop::buffer(ConnId id) {
  Connection* conn = find(id);
  return conn && !conn->is_closing() ? conn->buffer() : nullptr;
}

uint64_t CoreLoop::unsent_bytes(ConnId id) {
  Connection* conn = find(id);
  return conn ? conn->unsent_bytes() : 0;
}

void CoreLoop::close(ConnId id) {
  Connection* conn = find(id);
  if (!conn) return;
  conn->close_after_writing();
  mark_dirty(id);
}

void CoreLoop::resume(ConnId id) {
  to_resume_.push_back(id);
}

void CoreLoop::resume_connections() {
  std::vector<ConnId> resumed;
  resumed.swap(to_resume_);
  for (ConnId id : resumed) {
    if (Connection* conn = find(id)) conn->resume();
  }
}

std::optional<std::string_view> CoreLoop::full() const {
  if (memory_short_) return "gateway.memory_limit is reached";
  if (connections_now_ >= options_.connections_max) return "limits.max_connections is reached";
  return {};
}

bool CoreLoop::admit(ConnId id, const Listener& listener, const std::string& peer) {
  if (auto why = guards_.refuses(listener.options().admission, peer)) {
    count_refused_connection();
    broker_.refuse(id, *why);
    return false;
  }
  guards_.opened(addresses_[id.slot] = PeerKey::of(peer));
  return true;
}

void CoreLoop::set_guard_limits(GuardLimits limits) {
  limits.logins_waiting_max = std::max(options_.pending_connects_max / 2, 1u);  // others have to get in meanwhile
  guards_.set_limits(limits, read_clock().mono);
}

// After failed log-ins of that name from its address it waits, unread. Those whom that slows down are not asked for their
// password more often by opening more connections: few may wait.
void CoreLoop::check_credentials(ConnId conn, std::string_view username, std::string_view password) {
  auto wait = guards_.login_delay(addresses_[conn.slot], username, read_clock().mono);
  if (!wait) return post([this, conn] { broker_.too_busy_to_check(conn); });
  if (wait->delay == Millis{0}) return check_now(conn, std::string(username), std::string(password));
  auto timer = std::make_shared<Timer>(io_);
  timer->expires_after(wait->delay);
  timer->async_wait([this, timer, conn, counted = wait->counted, user = std::string(username),
                     secret = std::string(password)](const error_code&) {
    guards_.login_waited(counted);
    if (find(conn)) check_now(conn, user, secret);
  });
}

// As for a password: the same failures count, and the same wait comes before the next try. Whose, is not known before
// it: all exchanges of an address count as of one name.
void CoreLoop::ask_to_authenticate(ConnId conn) {
  auto wait = guards_.login_delay(addresses_[conn.slot], {}, read_clock().mono);
  if (!wait) return post([this, conn] { broker_.too_busy_to_check(conn); });
  if (wait->delay == Millis{0}) return post([this, conn] { broker_.may_authenticate(conn); });
  auto timer = std::make_shared<Timer>(io_);
  timer->expires_after(wait->delay);
  timer->async_wait([this, timer, conn, counted = wait->counted](const error_code&) {
    guards_.login_waited(counted);
    if (!find(conn)) return;
    enter_turn();
    broker_.may_authenticate(conn);
  });
}

void CoreLoop::authentication_failed(ConnId conn) {
  login_failed(conn, {});
}

void CoreLoop::login_failed(ConnId conn, std::string_view user) {
  if (!find(conn)) return;
  const PeerKey& from = addresses_[conn.slot];
  Instant now = read_clock().mono;
  if (guards_.login_failed(from, user, now)) {
    log::net.warn("Log-ins slowed down: address={} failures={}; wrong user names or passwords", from.text(),
                  guards_.failures(from, user, now));
  }
}

void CoreLoop::credentials_checked(ConnId conn, std::string_view user, bool right) {
  if (!right) login_failed(conn, user);
  broker_.credentials_checked(conn, right);
}

void CoreLoop::check_now(ConnId conn, std::string username, std::string password) {
  auto check = [this, conn, user = std::move(username), secret = std::move(password)] {
    bool right = options_.check_password && options_.check_password(user, secret);
    post([this, conn, user, right] { credentials_checked(conn, user, right); });
  };
  if (workers_.post(std::move(check))) return;
  log::net.warn("Refusing a login: too many wait to be checked");
  post([this, conn] { broker_.too_busy_to_check(conn); });
}

void CoreLoop::read_queue(QueueId queue, Seq from, Seq end, store::ReadLimit limit) {
  auto read = [this, queue, from, end, limit] {
    std::vector<store::QueueRecord> records;
    if (Status read_status = store_.read_queue(queue, from, end, limit, records); !read_status) {
      log::net.error("Cannot read a queue: queue={} error=\"{}\"", queue.value, read_status.error().context);
      return post([this, queue] { broker_.read_failed(queue); });
    }
    post([this, queue, from, records = std::move(records)] { broker_.records_read(queue, from, records); });
  };
  if (!reader_.post(std::move(read))) post([this, queue] { broker_.read_failed(queue); });
}

}  // namespace tidegate::net
