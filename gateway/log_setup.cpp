#include "gateway/log_setup.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <vector>

namespace tidegate {
namespace {

constexpr size_t log_lines_max = 8192;  // between the gateway and the log's thread

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::error: return spdlog::level::err;
    case config::LogLevel::warning: return spdlog::level::warn;
    case config::LogLevel::notice:
    case config::LogLevel::info: return spdlog::level::info;
    case config::LogLevel::debug: return spdlog::level::debug;
  }
  return spdlog::level::info;
}

}  // namespace

Status set_up_log(const config::Log& log, bool verbose) {
  std::vector<spdlog::sink_ptr> sinks;
  try {
    for (const config::LogDestination& to : log.destinations) {
      if (to.type == config::LogTo::file) {
        sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(to.path, to.max_size, to.keep));
      } else {
        sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
      }
    }
  } catch (const spdlog::spdlog_ex& error) {
    return fail(ErrorCode::io, std::string("cannot write the log: ") + error.what());
  }
  // A thread of its own writes, so that a slow disk or terminal delays nobody; when it cannot follow, the oldest lines go.
  spdlog::init_thread_pool(log_lines_max, 1);
  auto logger = std::make_shared<spdlog::async_logger>("tidegate", sinks.begin(), sinks.end(), spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  spdlog::flush_every(std::chrono::seconds(1));
  set_log_level(log, verbose);
  return {};
}

void set_log_level(const config::Log& log, bool verbose) {
  spdlog::set_level(verbose ? spdlog::level::debug : level_of(log.level));
}

}  // namespace tidegate
