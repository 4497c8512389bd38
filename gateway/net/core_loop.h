// The core thread's loop: sockets in, broker, one batch, sockets out.
//
// One turn: events are handled in a burst, every complete packet goes through the broker; then the batch is handed to
// the committer once and every connection with something to say is written once. The loop waits for nobody: disk reads
// and password checks go to other threads and come back by `post`.
// Thread: everything but `post` and `stop` belongs to the thread that calls `run`.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/broker/broker.h"
#include "gateway/net/connection.h"
#include "gateway/net/guards.h"
#include "gateway/net/listener.h"
#include "gateway/net/pending_connects.h"
#include "gateway/net/socket.h"
#include "gateway/net/task_threads.h"
#include "store/committer.h"
#include "store/store.h"

namespace tidegate::net {

struct CoreLoopOptions {
  broker::Limits limits;
  uint32_t pending_connects_max = 100;     // connections without an accepted CONNECT; further ones are not accepted yet
  Millis pending_patience{1000};           // after which one of them may give way to a newcomer
  uint32_t connections_max = 1000;         // of all listeners together
  uint64_t pending_bytes_max = 32u << 20;  // not yet on disk; beyond it what would be stored waits
  // Is the password right? Runs on a worker thread, may take long.
  std::function<bool(const std::string& username, const std::string& password)> check_password;
};

class CoreLoop final : public broker::Output {
 public:
  CoreLoop(const CoreLoopOptions& options, store::Store& store, store::Committer& committer, broker::Events& events);
  ~CoreLoop() override;

  [[nodiscard]] Status add_listener(ListenerOptions options);
  // Takes over what can change while it listens. False: there is none of that name, address and port.
  [[nodiscard]] bool update_listener(const ListenerOptions& options);
  // Its connections stay.
  void remove_listener(const std::string& name);
  [[nodiscard]] const std::vector<std::unique_ptr<Listener>>& listeners() const { return listeners_; }
  void set_limits(const broker::Limits& limits, uint32_t connections_max, uint32_t pending_connects_max,
                  uint64_t pending_bytes_max);

  // The store has reached its configured size: no new obligations until it has shrunk.
  void set_store_full(bool full);
  // The program has reached its configured size: no new connections and no new obligations.
  void set_memory_short(bool is_short);

  // Before `run`: the turn's batch, on disk when this returns.
  [[nodiscard]] Status commit_now();

  // Runs until `stop`; then ends every connection, waits for the last batch (at most `stop_limit`) and returns.
  void run(Millis stop_limit);
  void stop();                            // any thread, also from a signal handler's task
  void post(std::function<void()> task);  // any thread; runs in a turn of the loop
  void commit_progressed();               // any thread: the committer went on

  [[nodiscard]] asio::io_context& io() { return io_; }
  [[nodiscard]] broker::Broker& broker() { return broker_; }
  // Every entry from outside into the broker begins with this: the turn's time is set once.
  void enter_turn();

  [[nodiscard]] Guards& guards() { return guards_; }
  [[nodiscard]] const Guards& guards() const { return guards_; }
  void set_guard_limits(GuardLimits limits);

  // For connections and listeners.
  [[nodiscard]] Connection* find(ConnId id);
  ConnId add_connection(Socket socket, Listener& listener, std::unique_ptr<Channel> channel, std::string peer);
  // A proxy said whose connection it is. False: that one may not connect, and has been refused.
  [[nodiscard]] bool admit(ConnId id, const Listener& listener, const std::string& peer);
  // Connection::open_step in this turn or a later one: handshakes are bounded by time, so that many of them do not
  // delay those that are through.
  void queue_opening(ConnId id) { openings_.push_back(id); }
  // Why no connection is taken now; none: there is room.
  [[nodiscard]] std::optional<std::string_view> full() const;
  // Closes a connection that says nothing, if it takes that. False: nobody is to give way, and newcomers wait.
  [[nodiscard]] bool make_room_for_pending();
  [[nodiscard]] bool has_room_for_pending() const { return broker_.pending_connects() < options_.pending_connects_max; }
  [[nodiscard]] std::span<char> scratch() { return scratch_; }
  [[nodiscard]] std::unique_ptr<broker::OutBuffer> borrow_buffer();
  void give_back(std::unique_ptr<broker::OutBuffer> buffer);
  void mark_dirty(ConnId id) { dirty_.push_back(id); }
  void count_received(uint64_t bytes) { bytes_received_ += bytes; }
  void count_sent(uint64_t bytes) { bytes_sent_ += bytes; }
  [[nodiscard]] bool is_stopping() const { return stopping_; }
  void count_refused_connection() { ++connections_refused_; }
  [[nodiscard]] uint64_t bytes_received() const { return bytes_received_; }
  [[nodiscard]] uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] uint64_t connections_accepted() const { return connections_accepted_; }
  [[nodiscard]] uint64_t connections_refused() const { return connections_refused_; }

  // What the broker asks for.
  broker::OutBuffer* buffer(ConnId conn) override;
  uint64_t unsent_bytes(ConnId conn) override;
  void close(ConnId conn) override;
  void resume(ConnId conn) override;
  void check_credentials(ConnId conn, std::string_view username, std::string_view password) override;
  void ask_to_authenticate(ConnId conn) override;
  void authentication_failed(ConnId conn) override;
  void read_queue(QueueId queue, Seq from, Seq end, store::ReadLimit limit) override;

 private:
  struct Lingering {
    ConnId id;
    Instant until;
  };
  void turn();
  [[nodiscard]] PendingConnects::Turn whose_turn(ConnId id);
  void check_now(ConnId conn, std::string username, std::string password);
  void credentials_checked(ConnId conn, std::string_view user, bool right);
  void login_failed(ConnId conn, std::string_view user);
  void end_turn();
  void run_openings();
  void submit_batch();
  void take_commits();
  void look_at_store();
  void look_at_address_limits();
  void flush_connections();
  void destroy(ConnId id);
  void end_lingering();
  void arm_timer();
  void resume_connections();
  void drain_and_close(Millis limit);

  CoreLoopOptions options_;
  store::Store& store_;
  store::Committer& committer_;
  asio::io_context io_;
  broker::Broker broker_;
  TaskThreads reader_;
  TaskThreads workers_;
  Timer timer_;
  Instant timer_at_ = Instant::never();
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Listener>> closed_listeners_;  // their connections go on
  std::vector<std::unique_ptr<Connection>> connections_;     // by slot
  std::vector<uint32_t> generations_;                        // of each slot's latest use
  std::vector<uint32_t> free_slots_;
  std::vector<PeerKey> addresses_;  // by slot
  Guards guards_;
  PendingConnects pending_;
  Instant gave_way_told_;
  uint32_t connections_now_ = 0;
  std::vector<ConnId> dirty_;
  std::vector<ConnId> to_resume_;
  std::deque<ConnId> openings_;
  std::vector<Lingering> lingering_;
  std::vector<std::unique_ptr<broker::OutBuffer>> spare_buffers_;
  std::deque<std::pair<Ticket, BatchNumber>> submitted_;
  std::vector<char> scratch_;
  bool in_turn_ = false;
  bool more_waits_ = false;  // the turn has handled as much as it may
  bool stopping_ = false;
  bool store_full_ = false;
  bool memory_short_ = false;
  std::atomic<bool> commit_posted_{false};
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;
  uint64_t connections_accepted_ = 0;
  uint64_t connections_refused_ = 0;
};

}  // namespace tidegate::net
