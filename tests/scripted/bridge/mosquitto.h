// A real broker on a free loopback port: Debian's mosquitto, ended by its pid.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace tidegate::bridge {

inline uint16_t free_port() {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  (void)bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

class Mosquitto {
 public:
  static bool installed() { return access("/usr/sbin/mosquitto", X_OK) == 0; }
  explicit Mosquitto(const std::string& more = {}) : port_(free_port()) {
    char name[] = "/tmp/tg-mosquitto-XXXXXX";
    folder_ = mkdtemp(name);
    std::ofstream(folder_ + "/conf") << "allow_anonymous true\nlistener " << port_
                                     << " 127.0.0.1\nmax_queued_messages 0\nmax_inflight_messages 0\n"
                                     << "persistence true\npersistence_location " << folder_ << "/\nuser root\n"
                                     << more;
    start();
  }
  ~Mosquitto() {
    kill(SIGKILL);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  // SIGTERM saves its sessions first.
  void kill(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void start() {
    const std::string conf = folder_ + "/conf";
    const char* argv[] = {"/usr/sbin/mosquitto", "-c", conf.c_str(), nullptr};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn(&pid_, argv[0], &files, nullptr, const_cast<char**>(argv), environ);
    posix_spawn_file_actions_destroy(&files);
    for (int i = 0; i < 500 && !answers(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

 private:
  [[nodiscard]] bool answers() const {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool open = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    return open;
  }
  const uint16_t port_;
  std::string folder_;
  pid_t pid_ = 0;
};

}  // namespace tidegate::bridge
