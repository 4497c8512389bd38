#include "gateway/log_setup.h"

#include <utility>

#include "gateway/log/destinations.h"
#include "gateway/log/log.h"

namespace tidegate {
namespace {

log::Level level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::error: return log::Level::error;
    case config::LogLevel::warning: return log::Level::warning;
    case config::LogLevel::notice: return log::Level::notice;
    case config::LogLevel::info: return log::Level::info;
    case config::LogLevel::debug: return log::Level::debug;
  }
  return log::Level::info;
}

log::Timestamp timestamp_of(config::LogTimestamp timestamp) {
  switch (timestamp) {
    case config::LogTimestamp::iso8601: return log::Timestamp::iso8601;
    case config::LogTimestamp::unix_seconds: return log::Timestamp::unix_seconds;
    case config::LogTimestamp::none: return log::Timestamp::none;
  }
  return log::Timestamp::iso8601;
}

std::string path_or(const config::LogDestination& to, std::string_view usual) {
  return to.path.empty() ? std::string(usual) : to.path;
}

Result<std::unique_ptr<log::Destination>> destination_of(const config::LogDestination& to, log::Timestamp timestamp,
                                                         const std::shared_ptr<LogTopics>& topics) {
  log::Style style{to.format == config::LogFormat::json ? log::Format::json : log::Format::text, timestamp};
  switch (to.type) {
    case config::LogTo::file: return log::to_file({to.path, to.max_size, to.keep}, style);
    case config::LogTo::standard_output: return log::to_stream(log::Stream::standard_output, style);
    case config::LogTo::syslog:
      return log::to_syslog(path_or(to, log::syslog_socket), static_cast<int>(to.facility), style.format);
    case config::LogTo::journal: return log::to_journal(path_or(to, log::journal_socket));
    case config::LogTo::topic: {
      auto publish = [topics](std::string topic, std::string payload) {
        return topics->publish(std::move(topic), std::move(payload));
      };
      return log::to_topic(publish, to.by_component, style);
    }
    case config::LogTo::standard_error: break;
  }
  return log::to_stream(log::Stream::standard_error, style);
}

}  // namespace

void set_log_levels(const config::Log& log, std::optional<config::LogLevel> at) {
  auto set = [&](log::Component component, const std::optional<config::LogLevel>& own) {
    log::set_level(component, level_of(at.value_or(own.value_or(log.level))));
  };
  set(log::Component::gateway, log.components.gateway);
  set(log::Component::broker, log.components.broker);
  set(log::Component::net, log.components.net);
  set(log::Component::bridge, log.components.bridge);
  set(log::Component::store, log.components.store);
  set(log::Component::config, log.components.config);
}

Status set_log_destinations(const config::Log& log, const std::shared_ptr<LogTopics>& topics) {
  log::Destinations destinations;
  for (const config::LogDestination& to : log.destinations) {
    auto made = destination_of(to, timestamp_of(log.timestamp), topics);
    if (!made) return tl::unexpected(made.error());
    destinations.push_back(std::move(*made));
  }
  log::writer().set_destinations(std::move(destinations));
  log::writer().start();
  return {};
}

}  // namespace tidegate
