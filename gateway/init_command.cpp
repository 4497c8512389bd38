#include "gateway/init_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "config/load.h"
#include "config/outside.h"
#include "gateway/app.h"
#include "gateway/login/passwords.h"

namespace tidegate {
namespace {

using nlohmann::ordered_json;

int failed(const std::string& why) {
  fmt::print(stderr, "tidegate init: {}\n", why);
  return exit_code::start_failed;
}

// Makes a new file; an existing one is an error.
Status write_new_file(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0 && errno == EEXIST) {
    return fail(ErrorCode::in_use, fmt::format("{} exists already; choose another place with --file", path.string()));
  }
  bool written =
      fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) ::close(fd);
  if (written) return {};
  return fail(ErrorCode::io, fmt::format("cannot write {}: {}", path.string(), std::strerror(error)));
}

bool is_loopback(const std::string& bind) {
  return bind.starts_with("127.") || bind == "::1";
}

ordered_json listener_json(const InitOptions& options, const std::string& bind) {
  ordered_json listener = {{"name", "lan"}, {"bind", bind}, {"port", 1883}};
  if (options.user.empty()) listener["allow_anonymous"] = true;
  return listener;
}

// Everything local goes up under the gateway's name; its commands come down.
ordered_json bridge_json(const std::string& address, const std::string& gateway) {
  ordered_json up = {
      {"topic", "#"}, {"direction", "out"}, {"qos", 1}, {"queue_qos0", true}, {"remote_prefix", gateway + "/"}};
  ordered_json down = {{"topic", "#"},
                       {"direction", "in"},
                       {"qos", 1},
                       {"local_prefix", "commands/"},
                       {"remote_prefix", "commands/" + gateway + "/"}};
  return {{"name", "cloud"}, {"addresses", {address}}, {"rules", {up, down}}};
}

struct Credentials {
  std::string password;
  std::string hash;
};

Result<Credentials> make_credentials() {
  auto password = random_password();
  if (!password) return tl::unexpected(password.error());
  auto hash = hash_password(*password);
  if (!hash) return tl::unexpected(hash.error());
  return Credentials{*password, *hash};
}

}  // namespace

int init_configuration(const InitOptions& options) {
  namespace fs = std::filesystem;
  std::string bind = options.bind.empty() ? "127.0.0.1" : options.bind;
  if (options.user.empty() && !is_loopback(bind)) {
    return failed(
        fmt::format("--bind {} opens the gateway to the network; add --user NAME, so that not everybody "
                    "gets in",
                    bind));
  }
  if (fs::exists(options.file)) return failed(options.file + " exists already; choose another place with --file");
  config::Outside outside = config::real_outside();
  ordered_json config;
  config["gateway"] = {{"name", config::default_gateway_name(outside)}};
  config["listeners"] = ordered_json::array({listener_json(options, bind)});
  fs::path folder = fs::path(options.file).parent_path();
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  fs::path hash_file = options.user.empty() ? fs::path() : folder / "secrets" / (options.user + ".hash");
  std::string password;
  if (!options.user.empty()) {
    auto made = make_credentials();
    if (!made) return failed(made.error().context);
    password = made->password;
    fs::create_directories(folder / "secrets", error);
    fs::permissions(folder / "secrets", fs::perms::owner_all, error);
    if (auto written = write_new_file(hash_file, made->hash + "\n", 0600); !written) {
      return failed(written.error().context);
    }
    config["access"] = {
        {"users",
         ordered_json::array({{{"name", options.user}, {"password_hash", "file:secrets/" + options.user + ".hash"}}})}};
  }
  if (!options.mosquitto.empty()) {
    config["bridges"] = ordered_json::array({bridge_json(options.mosquitto, config["gateway"]["name"])});
  }
  if (auto written = write_new_file(options.file, config.dump(2) + "\n", 0640); !written) {
    return failed(written.error().context);
  }
  auto loaded = config::load(options.file, outside);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) fmt::print(stderr, "{}\n", config::render(problem));
    fmt::print(stderr, "tidegate init: nothing was kept\n");
    fs::remove(options.file, error);
    if (!hash_file.empty()) fs::remove(hash_file, error);
    return exit_code::bad_configuration;
  }
  fmt::print("Wrote {}.\n", options.file);
  if (!password.empty()) {
    fmt::print("Devices log in as \"{}\" with the password {}\nIt is shown only now; {} keeps a hash of it.\n",
               options.user, password, hash_file.string());
  }
  if (!options.mosquitto.empty()) {
    std::string gateway = config["gateway"]["name"];
    fmt::print(
        "Bridge to {}: every local topic T goes there as {}/T, QoS 0 included; commands/{}/T comes here as "
        "commands/T.\n"
        "It has no TLS and no login yet: see \"bridges\" in the file.\n",
        options.mosquitto, gateway, gateway);
  }
  fmt::print("Next: {} run -c {}\n", options.program, options.file);
  return exit_code::success;
}

}  // namespace tidegate
