// A configuration as text, and what load() says about it. No file system: files, modes and environment are maps.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace tidegate::config {

inline constexpr const char* good_hash = "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";

class LoadTest : public ::testing::Test {
 protected:
  Outside outside() const {
    Outside out;
    out.env = [this](std::string_view name) -> std::optional<std::string> {
      auto at = env_.find(std::string(name));
      return at == env_.end() ? std::nullopt : std::optional(at->second);
    };
    out.read_file = [this](const std::string& path) -> Result<FileContent> {
      auto at = files_.find(path);
      if (at == files_.end()) return fail(ErrorCode::not_found, path + ": No such file or directory");
      return at->second;
    };
    out.list_folder = [this](const std::string& path) -> Result<std::vector<std::string>> {
      std::vector<std::string> names;
      for (const auto& [file, content] : files_)
        if (file.starts_with(path + "/")) names.push_back(file.substr(path.size() + 1));
      if (names.empty()) return fail(ErrorCode::not_found, path + ": No such file or directory");
      return std::vector<std::string>(names.rbegin(), names.rend());
    };
    out.check_tls = [this](const ListenerTls&) { return tls_findings_; };
    out.host_name = "box-9.plant.example";
    return out;
  }

  void put(const std::string& path, std::string text, uint32_t mode = 0640) { files_[path] = {mode, std::move(text)}; }
  // What is wrong with the files of every listener's TLS.
  void find_in_tls(std::vector<TlsFinding> findings) { tls_findings_ = std::move(findings); }
  void set(const std::string& name, std::string value) { env_[name] = std::move(value); }

  // Of `text` as /etc/tidegate/t.json. A configuration with warnings is good.
  Config loaded(std::string text) {
    put("/etc/tidegate/t.json", std::move(text));
    auto result = load("/etc/tidegate/t.json", outside());
    if (result) return result->config;
    for (const Problem& p : result.error()) ADD_FAILURE() << render(p);
    return {};
  }

  // All problems as lines, without the path of the folder.
  std::string problems(std::string text, uint32_t mode = 0640) {
    put("/etc/tidegate/t.json", std::move(text), mode);
    auto result = load("/etc/tidegate/t.json", outside());
    std::string out;
    for (const Problem& p : result ? result->warnings : result.error()) {
      std::string line = render(p);
      for (size_t at; (at = line.find("/etc/tidegate/")) != std::string::npos;) line.erase(at, 14);
      out += line + "\n";
    }
    return out;
  }

  // One bridge that is complete but for `keys`.
  static std::string bridge(std::string keys) {
    return R"({"bridges": [{"name": "b", "addresses": ["h"], )"
           R"("rules": [{"topic": "x", "direction": "out"}])" +
           (keys.empty() ? "" : ", " + keys) + "}]}";
  }
  static std::string rules(const std::string& list) {
    return R"({"bridges": [{"name": "b", "addresses": ["h"], "rules": [)" + list + "]}]}";
  }

 private:
  std::map<std::string, FileContent> files_;
  std::map<std::string, std::string> env_;
  std::vector<TlsFinding> tls_findings_;
};

}  // namespace tidegate::config
