#include "gateway/acl_test_command.h"

#include <fmt/format.h>

#include <optional>

#include "config/load.h"
#include "config/outside.h"
#include "gateway/app.h"
#include "gateway/settings.h"

namespace tidegate {
namespace {

int say(bool allowed, const std::string& why) {
  fmt::print("{}: {}\n", allowed ? "yes" : "no", why);
  return allowed ? exit_code::success : exit_code::refused;
}

int wrong(const std::string& what) {
  fmt::print(stderr, "tidegate acl-test: {}\n", what);
  return exit_code::start_failed;
}

int answer(const access::Acl& acl, const AclTestOptions& options) {
  access::Identity identity{options.user == "-" ? std::nullopt : std::optional(options.user), options.client_id};
  access::Rights rights = acl.rights_of(identity);
  bool reads = options.action == "read";
  if (auto topic = TopicName::parse(options.topic)) {
    auto [allowed, rule] = rights.why(reads ? access::Action::read : access::Action::write, *topic);
    return say(allowed, rule ? rule->place : "no rule allows it");
  }
  auto filter = TopicFilter::parse(options.topic);
  if (!filter || !reads) return wrong(fmt::format("\"{}\" is no topic to {}", options.topic, options.action));
  bool allowed = rights.may_subscribe(*filter);
  return say(allowed, allowed ? "some of what it matches; each message is looked at" : "nothing of what it matches");
}

}  // namespace

int acl_test(const AclTestOptions& options) {
  auto loaded = config::load(options.config_file, config::real_outside());
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) fmt::print(stderr, "{}\n", config::render(problem));
    return exit_code::bad_configuration;
  }
  auto acl = acl_of(loaded->config.access);
  if (!acl) return say(true, "no topic rules are configured: whoever may log in may do everything");
  return answer(*acl, options);
}

}  // namespace tidegate
