#include "tests/bench/child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/bench/loop.h"

namespace bench {

TemporaryFolder::TemporaryFolder(bool keep) : keep_(keep) {
  std::string name = (std::filesystem::temp_directory_path() / "tidegate-demo-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw Failure("cannot make a temporary folder " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!keep_) std::filesystem::remove_all(path_, ignored);
}

Child::Child(std::vector<std::string> command, std::filesystem::path log)
    : command_(std::move(command)), log_(std::move(log)) {}

Child::~Child() {
  stop();
}

void Child::start() {
  std::vector<char*> arguments;
  for (std::string& word : command_) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int log = open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  pid_ = fork();
  if (pid_ < 0) throw Failure("cannot start " + command_.front());
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0);  // Ctrl-C at the terminal is for the demo, which ends its children in order
    dup2(nothing, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(log);
  close(nothing);
}

bool Child::running() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

void Child::terminate() {
  if (running()) kill(pid_, SIGTERM);
}

void Child::stop() {
  terminate();
  for (Time end = Clock::now() + std::chrono::seconds(5); running() && Clock::now() < end;) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Child::last_words() const {
  std::ifstream file(log_);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  constexpr size_t bytes_max = 2000;
  return text.size() > bytes_max ? "..." + text.substr(text.size() - bytes_max) : text;
}

uint16_t free_port() {
  int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  bool found = bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
               getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(probe);
  if (!found) throw Failure("no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

}  // namespace bench
