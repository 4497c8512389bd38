#include "store/committer.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tidegate::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t write_bytes_max = 4 << 20;     // of one write: bounds how long the batches behind it wait
constexpr size_t pooled_batches_max = 64;       // empty batches kept for submit
constexpr size_t pooled_bytes_max = 256 << 10;  // a batch that grew beyond gives its memory back

}  // namespace

struct Committer::Impl {
  Impl(Store& the_store, Options the_options) : store(the_store), options(std::move(the_options)) {
    if (options.on_progress) listeners.push_back(options.on_progress);
    health.free_bytes = options.free_bytes ? options.free_bytes() : 0;
    if (is_low(health.free_bytes)) set_low(health);
    thread = std::thread([this] { run(); });
    pthread_setname_np(thread.native_handle(), "tg-commit");
  }
  ~Impl() { stop(); }
  void stop() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    work.notify_one();
    if (thread.joinable()) thread.join();
  }

  // --- the commit thread ---
  void run();
  void take(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool write_taken();
  void sync_if_due();
  void check_space();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool pause_before_retry();
  void write_failed(const Error& error);
  void write_succeeded(uint64_t bytes);
  void give_back();
  void tell();
  [[nodiscard]] bool is_low(uint64_t free) const { return options.free_bytes && free < options.min_free; }
  void set_low(Health& h) const;
  [[nodiscard]] bool sync_is_pending() const { return options.durability == Durability::interval && unsynced; }

  Store& store;
  const Options options;

  // Any thread, under `mutex`.
  mutable std::mutex mutex;
  std::condition_variable work;      // to the commit thread
  std::condition_variable progress;  // to those who wait for a ticket
  std::deque<Batch> waiting;
  std::vector<Batch> pool;
  Health health;
  uint64_t submitted = 0;  // the last ticket given
  bool stopping = false;
  bool stopped = false;

  std::mutex listeners_mutex;  // held while they are called
  std::vector<std::function<void()>> listeners;

  std::atomic<uint64_t> committed{0};
  std::atomic<uint64_t> pending_bytes{0};

  // The commit thread's own.
  std::vector<Batch> taken;
  std::vector<const Batch*> taken_pointers;
  uint64_t taken_last = 0;  // ticket of the last batch in `taken`
  bool unsynced = false;    // written since the last sync
  bool gave_up = false;     // a last try failed: what follows must not be written over the gap
  Clock::time_point next_sync = Clock::now();
  Clock::time_point next_space_check = Clock::now();

  std::thread thread;
};

void Committer::Impl::run() {
  std::unique_lock lock(mutex);
  while (true) {
    wait_for_work(lock);
    if (stopping && waiting.empty()) break;
    take(lock);
    lock.unlock();
    check_space();
    if (!taken.empty()) {
      while (!write_taken()) {
        if (!pause_before_retry()) break;
        check_space();
      }
      give_back();
    }
    sync_if_due();
    lock.lock();
    if (gave_up) break;
  }
  lock.unlock();
  // What was only handed to the operating system so far.
  if (options.durability != Durability::always && unsynced && !gave_up) (void)store.write({}, true).has_value();
  lock.lock();
  stopped = true;
  progress.notify_all();
}

void Committer::Impl::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto ready = [this] { return stopping || !waiting.empty(); };
  const bool timed = sync_is_pending() || options.free_bytes;
  if (!timed) {
    work.wait(lock, ready);
    return;
  }
  auto until = Clock::time_point::max();
  if (sync_is_pending()) until = next_sync;
  if (options.free_bytes) until = std::min(until, next_space_check);
  work.wait_until(lock, until, ready);
}

// Moves what waits, in order, up to write_bytes_max and at least one batch, to `taken`.
void Committer::Impl::take(std::unique_lock<std::mutex>&) {
  size_t bytes = 0;
  while (!waiting.empty() && (taken.empty() || bytes + waiting.front().bytes() <= write_bytes_max)) {
    bytes += waiting.front().bytes();
    taken.push_back(std::move(waiting.front()));
    waiting.pop_front();
    ++taken_last;
  }
}

bool Committer::Impl::write_taken() {
  taken_pointers.clear();
  uint64_t bytes = 0;
  for (const Batch& batch : taken) {
    bytes += batch.bytes();
    if (!batch.empty()) taken_pointers.push_back(&batch);
  }
  // Batches without a change mark a place in the order; they need no write of their own.
  if (!taken_pointers.empty()) {
    const auto status = store.write(taken_pointers, options.durability == Durability::always);
    if (!status) {
      write_failed(status.error());
      return false;
    }
    if (!unsynced) next_sync = Clock::now() + options.sync_interval;
    unsynced = options.durability != Durability::always;
  }
  write_succeeded(bytes);
  return true;
}

void Committer::Impl::write_succeeded(uint64_t bytes) {
  {
    std::lock_guard lock(mutex);
    if (health.state == Health::State::failing) {
      health.state = Health::State::ok;
      health.reason.clear();
      if (is_low(health.free_bytes)) set_low(health);
    }
    committed.store(taken_last, std::memory_order_release);
    pending_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  }
  progress.notify_all();
  tell();
}

void Committer::Impl::write_failed(const Error& error) {
  {
    std::lock_guard lock(mutex);
    if (health.state == Health::State::failing && health.reason == error.context) return;
    health.state = Health::State::failing;
    health.reason = error.context;
  }
  tell();
}

// False: the committer stops, and the last try was made.
bool Committer::Impl::pause_before_retry() {
  std::unique_lock lock(mutex);
  if (stopping) {
    gave_up = true;
    return false;
  }
  // A stop wakes it: then comes the last try.
  work.wait_for(lock, options.retry_after, [this] { return stopping; });
  return true;
}

// The batches' memory goes to those who submit next.
void Committer::Impl::give_back() {
  taken_pointers.clear();
  std::lock_guard lock(mutex);
  for (Batch& batch : taken) {
    if (pool.size() >= pooled_batches_max) break;
    if (batch.bytes() > pooled_bytes_max) continue;
    batch.clear();
    pool.push_back(std::move(batch));
  }
  taken.clear();
}

void Committer::Impl::sync_if_due() {
  if (!sync_is_pending() || Clock::now() < next_sync) return;
  const auto status = store.write({}, true);
  if (status) {
    unsynced = false;
    bool recovered = false;
    {
      std::lock_guard lock(mutex);
      recovered = health.state == Health::State::failing;
      if (recovered) {
        health.state = Health::State::ok;
        health.reason.clear();
        if (is_low(health.free_bytes)) set_low(health);
      }
    }
    if (recovered) tell();
    return;
  }
  next_sync = Clock::now() + options.retry_after;
  write_failed(status.error());
}

void Committer::Impl::check_space() {
  if (!options.free_bytes || Clock::now() < next_space_check) return;
  next_space_check = Clock::now() + options.space_check;
  const uint64_t free = options.free_bytes();
  bool changed = false;
  {
    std::lock_guard lock(mutex);
    health.free_bytes = free;
    const bool low = is_low(free);
    if (low && health.state == Health::State::ok) {
      set_low(health);
      changed = true;
    } else if (!low && health.state == Health::State::low_space) {
      health.state = Health::State::ok;
      health.reason.clear();
      changed = true;
    }
  }
  if (changed) tell();
}

void Committer::Impl::set_low(Health& h) const {
  h.state = Health::State::low_space;
  h.reason = "less than " + std::to_string(options.min_free) + " bytes are free on the store's file system";
}

void Committer::Impl::tell() {
  std::lock_guard lock(listeners_mutex);
  for (const auto& listener : listeners) listener();
}

Committer::Committer(Store& store, Options options) : impl_(std::make_unique<Impl>(store, std::move(options))) {}
Committer::~Committer() = default;

void Committer::stop() {
  impl_->stop();
}

Ticket Committer::submit(Batch& batch) {
  Ticket ticket;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->pending_bytes.fetch_add(batch.bytes(), std::memory_order_relaxed);
    Batch& slot = impl_->waiting.emplace_back();
    if (!impl_->pool.empty()) {
      std::swap(slot, impl_->pool.back());
      impl_->pool.pop_back();
    }
    std::swap(slot, batch);
    ticket = Ticket{++impl_->submitted};
  }
  impl_->work.notify_one();
  return ticket;
}

Status Committer::wait(Ticket ticket, Millis limit) {
  std::unique_lock lock(impl_->mutex);
  TIDEGATE_CHECK(ticket.value <= impl_->submitted);
  auto over = [&] { return committed() >= ticket || impl_->stopped; };
  if (limit == Millis::max()) {
    impl_->progress.wait(lock, over);
  } else if (!impl_->progress.wait_for(lock, limit, over)) {
    return fail(ErrorCode::timeout, "not on disk in time: " + impl_->health.reason);
  }
  if (committed() >= ticket) return {};
  return fail(ErrorCode::io, "stopped before the write succeeded: " + impl_->health.reason);
}

Ticket Committer::committed() const {
  return Ticket{impl_->committed.load(std::memory_order_acquire)};
}

uint64_t Committer::pending_bytes() const {
  return impl_->pending_bytes.load(std::memory_order_relaxed);
}

Health Committer::health() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->health;
}

void Committer::add_listener(std::function<void()> on_progress) {
  std::lock_guard lock(impl_->listeners_mutex);
  impl_->listeners.push_back(std::move(on_progress));
}

}  // namespace tidegate::store
