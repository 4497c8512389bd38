#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "config/load.h"
#include "config/outside.h"
#include "gateway/acl_test_command.h"
#include "gateway/app.h"
#include "gateway/init_command.h"
#include "gateway/passwd_command.h"
#include "gateway/tls_watch.h"

namespace tidegate {
namespace {

int check_configuration(const std::string& file) {
  auto loaded = config::load(file, outside_with_tls());
  const auto& problems = loaded ? loaded->warnings : loaded.error();
  for (const config::Problem& problem : problems) fmt::print(stderr, "{}\n", config::render(problem));
  if (!loaded) return exit_code::bad_configuration;
  fmt::print("{}: good. Listeners: {}, bridges: {}, warnings: {}\n", file, loaded->config.listeners.size(),
             loaded->config.bridges.size(), loaded->warnings.size());
  return exit_code::success;
}

void add_passwd(CLI::App& program, PasswdOptions& options, int& code) {
  CLI::App* command = program.add_subcommand(
      "passwd", "Keep a password file, as mosquitto_passwd does; without a file print a hash for access.users");
  CLI::Option* create = command->add_flag("-c,--create", options.create, "A new file; an old one is lost");
  CLI::Option* remove = command->add_flag("-D,--delete", options.remove, "Delete the user");
  CLI::Option* batch = command->add_flag("-b,--batch", options.batch, "Take PASSWORD; others can see it");
  CLI::Option* plain =
      command->add_flag("-U,--upgrade", options.hash_plain, "Hash the passwords that stand there plainly");
  command->add_flag("--scram", options.scram,
                    "For log-in by SCRAM-SHA-256 (MQTT 5.0) as well; the hash is quicker to try out than argon2id");
  remove->excludes(create)->excludes(batch)->excludes(plain);
  plain->excludes(create)->excludes(batch);
  CLI::Option* file = command->add_option("FILE", options.file, "Password file");
  command->add_option("USER", options.user, "User name");
  command->add_option("PASSWORD", options.password, "With -b")->needs(batch);
  for (CLI::Option* option : {create, remove, batch, plain}) option->needs(file);
  command->callback([&options, &code] { code = passwd(options); });
}

void add_acl_test(CLI::App& program, AclTestOptions& options, int& code) {
  CLI::App* command = program.add_subcommand("acl-test", "Say whether a client may do that, and by which rule");
  command->add_option("-c,--config", options.config_file, "Configuration file")->required();
  command->add_option("USER", options.user, "User name; - for none")->required();
  command->add_option("CLIENT", options.client_id, "Client id")->required();
  command->add_option("ACTION", options.action, "read or write")->required()->check(CLI::IsMember({"read", "write"}));
  command->add_option("TOPIC", options.topic, "Topic; for read also a filter")->required();
  command->callback([&options, &code] { code = acl_test(options); });
}

int parse_and_run(int argc, char** argv) {
  CLI::App program("Tidegate: an MQTT gateway for the edge. What it acknowledged is on disk.", "tidegate");
  program.require_subcommand(1);
  program.set_version_flag("--version", "tidegate " TIDEGATE_VERSION);
  int code = exit_code::success;

  RunOptions run;
  run.program = argv[0];
  CLI::App* run_command = program.add_subcommand("run", "Run the gateway; without -c on loopback, anonymous");
  run_command->add_option("-c,--config", run.config_file, "Configuration file (JSON)");
  run_command->add_option("-p,--port", run.port, "Port of the only listener")->check(CLI::Range(1, 65535));
  bool verbose = false, quiet = false;
  run_command->add_flag("-v,--verbose", verbose, "Log at level debug");
  run_command->add_flag("-q,--quiet", quiet, "Log errors only")->excludes("-v");
  run_command->add_flag("-d,--daemon", run.background, "Go to the background once it serves");
  run_command->callback([&] {
    if (verbose) run.log_level = config::LogLevel::debug;
    if (quiet) run.log_level = config::LogLevel::error;
    code = run_gateway(run);
  });

  std::string check_file;
  CLI::App* check_command = program.add_subcommand("check", "Say everything that is wrong with a configuration");
  check_command->add_option("file", check_file, "Configuration file")->required();
  check_command->callback([&] { code = check_configuration(check_file); });

  InitOptions init;
  init.program = argv[0];
  CLI::App* init_command = program.add_subcommand("init", "Write and check a configuration that works");
  init_command->add_option("--file", init.file, "File to write")->capture_default_str();
  init_command->add_option("--bind", init.bind, "Address to listen on; default loopback");
  init_command->add_option("--user", init.user, "Name that devices log in with; a password is made")
      ->check([](const std::string& name) {
        bool plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
                     std::string::npos;
        return plain ? std::string() : std::string("use letters, digits, _ and -");
      });
  init_command->add_option("--mosquitto", init.mosquitto, "HOST or HOST:PORT of a Mosquitto to bridge to")
      ->check([](const std::string& host) { return host.empty() ? "expected HOST or HOST:PORT" : std::string(); });
  init_command->callback([&] { code = init_configuration(init); });

  PasswdOptions passwd_options;
  add_passwd(program, passwd_options, code);
  AclTestOptions acl_test_options;
  add_acl_test(program, acl_test_options, code);
  program.add_subcommand("version", "Print the version")->callback([] {
    fmt::print("tidegate {}\n", TIDEGATE_VERSION);
  });

  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? exit_code::success : exit_code::start_failed;
  }
  return code;
}

}  // namespace
}  // namespace tidegate

int main(int argc, char** argv) {
  return tidegate::parse_and_run(argc, argv);
}
