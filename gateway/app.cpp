#include "gateway/app.h"

#include <fmt/format.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <optional>

#include "config/load.h"
#include "config/outside.h"
#include "config/reload.h"
#include "gateway/bridges.h"
#include "gateway/event_log.h"
#include "gateway/log/log.h"
#include "gateway/log_setup.h"
#include "gateway/login/passwords.h"
#include "gateway/login/users.h"
#include "gateway/net/core_loop.h"
#include "gateway/open_files.h"
#include "gateway/pid_file.h"
#include "gateway/privileges.h"
#include "gateway/scram_authenticator.h"
#include "gateway/settings.h"
#include "gateway/supervisor.h"
#include "gateway/sys_topics.h"
#include "gateway/tls_watch.h"
#include "store/committer.h"
#include "store/disk_space.h"
#include "store/open_store.h"

namespace tidegate {
namespace {

constexpr Millis stop_limit{4000};
constexpr uint64_t open_files_of_its_own = 100;  // of the store most
constexpr auto status_interval = std::chrono::seconds(1);

int start_failed(const Error& error) {
  log::writer().stop();  // what was said before stands before it
  fmt::print(stderr, "tidegate: {}\n", error.context);
  return exit_code::start_failed;
}

// The port of the command line stands above the file's, at the start and at each reload.
Status place_port(uint16_t port, config::Config& config) {
  if (port == 0) return {};
  if (size_t n = config.listeners.size(); n != 1) {
    return fail(ErrorCode::invalid,
                fmt::format("-p needs a configuration with one listener; this one has {}. Set \"port\" there", n));
  }
  if (config.listeners.front().transport == config::Transport::unix_socket) {
    return fail(ErrorCode::invalid, "-p has no effect: the configuration's one listener is a Unix socket");
  }
  config.listeners.front().port = port;
  return {};
}

class App {
 public:
  App(const RunOptions& options, config::Config config) : options_(options), config_(std::move(config)) {}
  ~App() { log_topics_->detach(); }
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  int run();

 private:
  [[nodiscard]] Status open_store();
  [[nodiscard]] Status restore();
  [[nodiscard]] Status listen();
  [[nodiscard]] Status become_who_it_is();
  void allow_open_files();
  void report_start();
  void wait_for_signals();
  void tick();
  void look_at_disk();
  void look_at_tls();
  void report_damage(uint64_t unreadable, const std::string& set_aside);
  void limit_store_size(uint64_t bytes);
  void limit_memory(uint64_t heap);
  void reopen_log();
  void reload();
  void apply(const config::Config& next, const TlsContexts& tls);
  void apply_listeners(const config::Changes& changes, const config::Config& next, const TlsContexts& tls);
  void apply_bridges(const config::Changes& changes, const config::Config& next);
  void ignore_stop_signals();
  void close_store();
  void stop();

  PidFile pid_file_;
  RunOptions options_;
  config::Config config_;
  std::shared_ptr<LogTopics> log_topics_ = std::make_shared<LogTopics>();
  Users users_;
  ScramAuthenticator scram_{users_};
  EventLog events_;
  store::Opened opened_;
  std::unique_ptr<store::Committer> committer_;
  std::unique_ptr<net::CoreLoop> loop_;
  std::unique_ptr<Bridges> bridges_;
  TlsWatch tls_watch_;  // of the start, then of files_
  std::unique_ptr<net::TaskThreads> files_;
  std::optional<boost::asio::signal_set> signals_;
  std::optional<net::Timer> ticker_;
  store::Health::State last_health_ = store::Health::State::ok;
  bool store_full_ = false;
  bool memory_short_ = false;
  std::optional<SysTopics> sys_;
  uint64_t reported_unreadable_ = 0;
  std::string reported_set_aside_;
};

Status App::open_store() {
  store::OpenOptions open_options;
  open_options.path = config_.store.path;
  open_options.set_aside_newer = config_.store.on_newer == config::OnNewer::set_aside;
  open_options.log = [](std::string_view line) { log::store.warn("{}", line); };
  auto opened = store::open_store(open_options);
  if (!opened) return tl::unexpected(opened.error());
  opened_ = std::move(*opened);
  if (!opened_.set_aside.empty()) {
    log::store.error("Store set aside: path=\"{}\" carried_over={} unreadable={}; the gateway runs on a new one",
                     opened_.set_aside, opened_.salvaged, opened_.unreadable);
  }
  store::Committer::Options options;
  options.durability = durability_of(config_.store.durability);
  options.sync_interval = config_.store.sync_interval;
  options.min_free = config_.store.min_free;
  options.free_bytes = [path = config_.store.path] { return store::free_disk_bytes(path).value_or(UINT64_MAX); };
  net::CoreLoopOptions loop;
  loop.limits = limits_of(config_.limits);
  loop.connections_max = config_.limits.max_connections;
  loop.pending_connects_max = config_.limits.max_pending_connects;
  loop.pending_bytes_max = config_.limits.max_uncommitted_bytes;
  loop.check_password = [this](const std::string& user, const std::string& password) {
    return users_.check(user, password);
  };
  committer_ = std::make_unique<store::Committer>(*opened_.store, options);
  loop_ = std::make_unique<net::CoreLoop>(loop, *opened_.store, *committer_, events_);
  loop_->set_guard_limits(guards_of(config_.limits));
  loop_->broker().set_authenticator(&scram_);
  log_topics_->attach(*loop_);
  committer_->add_listener([this] { loop_->commit_progressed(); });
  return {};
}

Status App::restore() {
  loop_->enter_turn();
  loop_->broker().set_acl(acl_of(config_.access));
  auto restored = loop_->broker().restore(*opened_.store);
  if (!restored) return tl::unexpected(restored.error());
  bridges_ = std::make_unique<Bridges>(*loop_, *opened_.store, *committer_);
  for (const config::Bridge& bridge : config_.bridges) {
    if (Status added = bridges_->add(bridge); !added) return added;
  }
  loop_->broker().fire_restored_wills();
  if (Status taken = bridges_->take_inboxes(); !taken) return taken;
  // The queues' ids are on disk before a bridge writes its marks.
  if (Status committed = loop_->commit_now(); !committed) return committed;
  if (!opened_.clean) {
    log::store.warn(
        "Recovered after an unclean stop: messages={} of_bridges={} of_sessions={} retained={} sessions={} "
        "unreadable={}",
        bridges_->waiting() + restored->session_messages, bridges_->waiting(), restored->session_messages,
        restored->retained, restored->sessions, restored->unreadable + opened_.unreadable);
  }
  return {};
}

Status App::listen() {
  auto tls = tls_watch_.load(config_.listeners);
  if (!tls) return tl::unexpected(tls.error());
  for (const config::Listener& listener : config_.listeners) {
    net::ListenerOptions options = listener_of(listener, config_.access);
    if (listener.tls) options.tls_context = tls->at(listener.name);
    auto opened = loop_->add_listener(std::move(options));
    if (opened) continue;
    // Without a file, loopback of the other IP version is a courtesy: not every box has both.
    if (!options_.config_file.empty() || loop_->listeners().empty()) return opened;
    log::net.warn("{}", opened.error().context);
  }
  return {};
}

// Ports and files that only root may open are open now.
Status App::become_who_it_is() {
  const config::Gateway& gateway = config_.gateway;
  if (!gateway.pid_file.empty()) {
    if (Status written = pid_file_.write(gateway.pid_file); !written) return written;
  }
  return gateway.user.empty() ? Status{} : drop_privileges(gateway.user, config_.store.path);
}

// Each connection is an open file.
void App::allow_open_files() {
  uint64_t limit = raise_open_files_limit();
  if (limit >= config_.limits.max_connections + open_files_of_its_own) return;
  log::gateway.warn(
      "Fewer connections than configured: max_connections={} open_files={}; raise LimitNOFILE of the service, or "
      "ulimit -Hn",
      config_.limits.max_connections, limit);
}

void App::report_start() {
  for (const auto& listener : loop_->listeners()) {
    if (!listener->is_listening()) continue;
    log::net.info("Listening: listener={} address={} login={} tls={}", listener->options().policy.name,
                  listener->address(), listener->options().policy.allow_anonymous ? "not needed" : "needed",
                  listener->options().tls ? "yes" : "no");
  }
  log::store.info("Data: path=\"{}\" durability={}", config_.store.path,
                  config_.store.durability == config::Durability::always     ? "always"
                  : config_.store.durability == config::Durability::interval ? "interval"
                                                                             : "os");
  if (options_.config_file.empty()) {
    log::gateway.info(
        "Only programs on this machine can connect. To open it to the LAN and connect a cloud, write a "
        "configuration and run it:");
    log::gateway.info("  {} init --bind 0.0.0.0 --user NAME --mosquitto HOST", options_.program);
    log::gateway.info("  {} run -c tidegate.json", options_.program);
  }
}

void App::wait_for_signals() {
  signals_->async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
    } else if (signal == SIGRTMIN) {
      reopen_log();
    } else if (signal == SIGUSR1 || signal == SIGUSR2) {
      log::gateway.notice("Nothing to do: signal={}; what was acknowledged is on disk, $SYS has the counts",
                          signal == SIGUSR1 ? "SIGUSR1" : "SIGUSR2");
    }
    if (signal != SIGTERM && signal != SIGINT) {
      wait_for_signals();
    } else {
      log::gateway.notice("Stopping: signal={}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      loop_->stop();
    }
  });
}

// Once a second: what the bridges say, and what became of the disk.
void App::tick() {
  ticker_->expires_after(status_interval);
  ticker_->async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    loop_->enter_turn();
    bridges_->publish_status();
    if (store::Health health = committer_->health(); health.state != last_health_) {
      last_health_ = health.state;
      if (health.state == store::Health::State::ok) {
        log::store.info("Store takes messages again: free_bytes={}", health.free_bytes);
      } else {
        log::store.error(
            "Store takes no new messages that must be kept: reason=\"{}\" free_bytes={}; live delivery goes on",
            health.reason, health.free_bytes);
      }
    }
    look_at_disk();
    look_at_tls();
    sys_->publish(*loop_, *bridges_, config_.gateway.sys_interval);
    tick();
  });
}

// The store may be busy with the disk for long, so another thread asks it.
void App::look_at_disk() {
  (void)files_->post([this] {
    store::Store& store = *opened_.store;
    loop_->post([this, unreadable = store.unreadable(), set_aside = store.set_aside(), bytes = store.disk_bytes(),
                 heap = heap_bytes()] {
      sys_->set_heap_bytes(heap);
      limit_memory(heap);
      report_damage(unreadable, set_aside);
      limit_store_size(bytes);
    });
  });
}

// Certificates that were renewed while running.
void App::look_at_tls() {
  auto has_tls = [](const config::Listener& listener) { return listener.tls.has_value(); };
  if (std::none_of(config_.listeners.begin(), config_.listeners.end(), has_tls)) return;
  (void)files_->post([this] {
    TlsContexts changed = tls_watch_.changed();
    if (changed.empty()) return;
    loop_->post([this, changed = std::move(changed)] {
      for (const auto& listener : loop_->listeners()) {
        auto at = changed.find(listener->options().policy.name);
        if (at != changed.end() && listener->options().tls) listener->set_tls_context(at->second);
      }
    });
  });
}

// Damage that was found while running: what could be read is carried over, and the rest is said once.
void App::report_damage(uint64_t unreadable, const std::string& set_aside) {
  if (unreadable == reported_unreadable_ && set_aside == reported_set_aside_) return;
  log::store.error("Store damaged: unreadable={} set_aside=\"{}\"; everything else is served", unreadable, set_aside);
  reported_unreadable_ = unreadable;
  reported_set_aside_ = set_aside;
}

// What the committer has goes to disk; then the next start knows that nothing was lost.
void App::close_store() {
  committer_->stop();
  if (Status marked = opened_.store->mark_clean(); !marked) {
    log::store.error("Cannot note the orderly stop: {}", marked.error().context);
  }
}

// For the rest of the process: another SIGTERM must not end what is being ended. Taking the handlers back puts the
// default there for a moment, so the signals are held back meanwhile.
void App::ignore_stop_signals() {
  sigset_t held_back;
  ::sigemptyset(&held_back);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGRTMIN}) ::sigaddset(&held_back, signal);
  ::pthread_sigmask(SIG_BLOCK, &held_back, nullptr);
  signals_.reset();
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGRTMIN}) ::signal(signal, SIG_IGN);
}

void App::stop() {
  supervisor::notify("STOPPING=1");
  ticker_.reset();
  bridges_->stop();
  files_.reset();
  close_store();
  ignore_stop_signals();
  bridges_.reset();
  log_topics_->detach();
  loop_.reset();
  committer_.reset();
  log::gateway.notice("Stopped");
  log::writer().stop();
}

int App::run() {
  ::signal(SIGPIPE, SIG_IGN);
  set_log_levels(config_.log, options_.log_level);
  if (Status log = set_log_destinations(config_.log, log_topics_); !log) return start_failed(log.error());
  // Bursts leave free pages behind; a small box wants them back, and the commit thread needs no arena of its own.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
  log::gateway.notice("Tidegate starts: version={} config=\"{}\"", TIDEGATE_VERSION,
                      options_.config_file.empty() ? "(default)" : options_.config_file);
  allow_open_files();
  users_.set(config_.access.logins);
  events_.set_connection_messages(config_.log.connection_messages);
  if (Status opened = open_store(); !opened) return start_failed(opened.error());
  if (Status restored = restore(); !restored) return start_failed(restored.error());
  Status serving = listen();
  if (serving) serving = become_who_it_is();
  if (!serving) {
    close_store();
    return start_failed(serving.error());
  }
  bridges_->start();
  files_ = std::make_unique<net::TaskThreads>("tg-files", 1, 10);
  signals_.emplace(loop_->io(), SIGTERM, SIGINT, SIGHUP);
  for (int mosquittos : {SIGUSR1, SIGUSR2, SIGRTMIN}) signals_->add(mosquittos);
  wait_for_signals();
  ticker_.emplace(loop_->io());
  sys_.emplace(TIDEGATE_VERSION, read_clock().mono);
  tick();
  report_start();
  supervisor::ready();
  loop_->run(stop_limit);
  stop();
  return exit_code::success;
}

void App::limit_store_size(uint64_t bytes) {
  bool full = bytes > config_.store.max_bytes;
  if (full == store_full_) return;
  store_full_ = full;
  loop_->set_store_full(full);
  log::store.error("Store is {}: bytes={} max_bytes={}",
                   full ? "full, no new messages that must be kept" : "below its limit again", bytes,
                   config_.store.max_bytes);
}

void App::limit_memory(uint64_t heap) {
  uint64_t limit = config_.gateway.memory_limit;
  if (memory_short_) limit -= limit / 20;  // so that it does not flutter
  bool is_short = heap > limit;
  if (is_short == memory_short_) return;
  memory_short_ = is_short;
  loop_->set_memory_short(is_short);
  log::gateway.error(
      "Memory is {}: heap_bytes={} memory_limit={}",
      is_short ? "at its limit, no new connections and no new messages that must be kept" : "below its limit again",
      heap, config_.gateway.memory_limit);
}

void App::reopen_log() {
  (void)files_->post([] { log::writer().reopen(); });
}

// Reading files may take long, so a thread of its own does it; a bad configuration changes nothing.
void App::reload() {
  reopen_log();
  if (options_.config_file.empty()) {
    log::config.warn("Nothing to reload: no configuration file");
    return;
  }
  bool posted = files_->post([this] {
    auto loaded = config::load(options_.config_file, outside_with_tls());
    if (!loaded) {
      for (const config::Problem& problem : loaded.error()) log::config.error("{}", config::render(problem));
      log::config.error("Configuration not reloaded: the running one stays");
      return;
    }
    for (const config::Problem& problem : loaded->warnings) log::config.warn("{}", config::render(problem));
    Status placed = place_port(options_.port, loaded->config);
    auto tls = placed ? tls_watch_.load(loaded->config.listeners) : Result<TlsContexts>(tl::unexpected(placed.error()));
    if (!tls) {
      log::config.error("{}", tls.error().context);
      log::config.error("Configuration not reloaded: the running one stays");
      return;
    }
    loop_->post([this, next = std::move(loaded->config), contexts = std::move(*tls)] { apply(next, contexts); });
  });
  if (!posted) log::config.warn("Reload skipped: others are waiting");
}

void App::apply(const config::Config& next, const TlsContexts& tls) {
  config::Diff diff = config::diff(config_, next);
  for (const std::string& key : diff.restart) log::config.warn("Waits for a restart: key={}", key);
  users_.set(next.access.logins);
  loop_->broker().set_acl(acl_of(next.access));
  set_log_levels(next.log, options_.log_level);
  if (next.log != config_.log) {
    bool posted = files_->post([this, log = next.log] {
      Status set = set_log_destinations(log, log_topics_);
      if (set) return;
      log::config.error("{}; the log goes where it went", set.error().context);
      loop_->post([this] { config_.log.destinations.clear(); });  // tried again at the next reload
    });
    if (!posted) log::config.warn("The log goes where it went, as others are waiting: change it and reload again");
  }
  events_.set_connection_messages(next.log.connection_messages);
  loop_->set_limits(limits_of(next.limits), next.limits.max_connections, next.limits.max_pending_connects,
                    next.limits.max_uncommitted_bytes);
  loop_->set_guard_limits(guards_of(next.limits));
  apply_listeners(diff.listeners, next, tls);
  apply_bridges(diff.bridges, next);
  config::Store store = config_.store;  // of a restart
  config_ = next;
  config_.store = store;
  log::config.info("Configuration reloaded: live={} restart={} listeners={} bridges={}", diff.live.size(),
                   diff.restart.size(),
                   diff.listeners.added.size() + diff.listeners.removed.size() + diff.listeners.changed.size(),
                   diff.bridges.added.size() + diff.bridges.removed.size() + diff.bridges.changed.size());
}

void App::apply_listeners(const config::Changes& changes, const config::Config& next, const TlsContexts& tls) {
  for (const std::string& name : changes.removed) loop_->remove_listener(name);
  for (const config::Changed& changed : changes.changed) {
    if (changed.reconnects()) loop_->remove_listener(changed.name);
  }
  for (const config::Listener& listener : next.listeners) {
    net::ListenerOptions options = listener_of(listener, next.access);
    if (listener.tls) options.tls_context = tls.at(listener.name);
    if (loop_->update_listener(options)) continue;
    if (Status opened = loop_->add_listener(options); !opened) {
      log::net.error("{}", opened.error().context);
    } else {
      log::net.info("Listening: listener={} address={}", listener.name, loop_->listeners().back()->address());
    }
  }
}

void App::apply_bridges(const config::Changes& changes, const config::Config& next) {
  auto is_named = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& name : changes.removed) bridges_->remove(name);
  for (const config::Bridge& bridge : next.bridges) {
    bool changed = std::any_of(changes.changed.begin(), changes.changed.end(),
                               [&](const config::Changed& each) { return each.name == bridge.name; });
    if (is_named(changes.added, bridge.name)) {
      bridges_->add_live(bridge);
    } else if (changed) {
      bridges_->change(bridge);
    }
  }
}

}  // namespace

int run_gateway(const RunOptions& options) {
  config::Outside outside = outside_with_tls();
  config::Config config;
  if (options.config_file.empty()) {
    config = config::default_config(config::default_gateway_name(outside), config::default_store_path(outside));
    if (options.port != 0) {
      for (config::Listener& listener : config.listeners) listener.port = options.port;
    }
  } else {
    auto loaded = config::load(options.config_file, outside);
    if (!loaded) {
      for (const config::Problem& problem : loaded.error()) fmt::print(stderr, "{}\n", config::render(problem));
      return exit_code::bad_configuration;
    }
    for (const config::Problem& problem : loaded->warnings) fmt::print(stderr, "{}\n", config::render(problem));
    config = std::move(loaded->config);
    if (Status placed = place_port(options.port, config); !placed) {
      fmt::print(stderr, "tidegate: {}\n", placed.error().context);
      return exit_code::bad_configuration;
    }
  }
  if (options.background) supervisor::go_to_background();
  return App(options, std::move(config)).run();
}

}  // namespace tidegate
