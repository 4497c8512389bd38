// A section: the keys of one kind of object, each described once. The description reads it, finds unknown and doubled
// keys, compares two of it for a reload, and is printed as REFERENCE.md.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "config/reading.h"
#include "config/types.h"

namespace tidegate::config {

struct KeyInfo {
  std::string key;
  std::string type = {};
  std::string default_text = {};
  Applies applies = Applies::live;
  std::string doc = {};
  bool required = false;
  bool later = false;  // settled in the shape, but not in this version: an error, never ignored
};

struct SectionInfo {
  std::string where;  // "bridges[].queue"; empty: the top level
  std::string doc;
  std::vector<KeyInfo> keys = {};
  std::vector<const SectionInfo*> parts = {};
};

// Reports unknown, doubled, missing and not yet built keys of an object. False: it is no object.
bool check_keys(Reading& reading, const Node& node, const SectionInfo& section);

// "Did you mean" for a value that stands where an object is expected, for example Mosquitto's restart_timeout 5 30.
[[nodiscard]] std::string object_hint(const SectionInfo& section, const Node& node);

template <class S>
class Section {
 public:
  Section(std::string where, std::string doc) : info_{std::move(where), std::move(doc)} {}

  // Describes one more key. The default in the reference is that of S{}.
  template <class T>
  Section& key(std::string key, T S::*member, Type<T> type, Applies applies, std::string doc) {
    info_.keys.push_back(
        {.key = key, .type = type.name, .default_text = type.text(S{}.*member), .applies = applies, .doc = doc});
    info_.parts.insert(info_.parts.end(), type.sections.begin(), type.sections.end());
    Access access;
    access.read = [member, type](Reading& reading, const Node& node, S& out) { type.read(reading, node, out.*member); };
    access.changes = [member, type, key, applies](const S& a, const S& b, const std::string& prefix,
                                                  std::vector<ChangedKey>& out) {
      if (a.*member == b.*member) return;
      if (type.changes) return type.changes(a.*member, b.*member, prefix + key + ".", out);
      out.push_back({prefix + key, applies});
    };
    access_.push_back(std::move(access));
    return *this;
  }

  // The next ones say more about the key described last.
  Section& required() {
    info_.keys.back().required = true;
    return *this;
  }
  Section& default_is(std::string text) {
    info_.keys.back().default_text = std::move(text);
    return *this;
  }
  Section& read_with(std::function<void(Reading&, const Node&, S&)> read) {
    access_.back().read = std::move(read);
    return *this;
  }

  // What all keys described so far default to.
  Section& default_is_for_all(const std::string& text) {
    for (KeyInfo& info : info_.keys) info.default_text = text;
    return *this;
  }

  // A key that load() takes care of.
  Section& read_elsewhere(KeyInfo key) {
    info_.keys.push_back(std::move(key));
    access_.push_back({});
    return *this;
  }

  // Keys of the settled shape that this version does not have.
  Section& later(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      info_.keys.push_back({.key = key, .later = true});
      access_.push_back({});
    }
    return *this;
  }

  void read(Reading& reading, const Node& node, S& out) const {
    if (!check_keys(reading, node, info_)) return;
    for (size_t i = 0; i < access_.size(); ++i) {
      const Node* value = node.find(info_.keys[i].key);
      if (value != nullptr && access_[i].read) access_[i].read(reading, *value, out);
    }
  }

  void changes(const S& a, const S& b, const std::string& prefix, std::vector<ChangedKey>& out) const {
    for (const Access& access : access_)
      if (access.changes) access.changes(a, b, prefix, out);
  }

  [[nodiscard]] const SectionInfo& info() const { return info_; }

 private:
  struct Access {
    std::function<void(Reading&, const Node&, S&)> read;
    std::function<void(const S&, const S&, const std::string&, std::vector<ChangedKey>&)> changes;
  };

  SectionInfo info_;
  std::vector<Access> access_;  // one per key of info_
};

// The type of a key that holds such an object. REQUIRES: `section` outlives every use (they are all static).
template <class S>
[[nodiscard]] Type<S> object(const Section<S>& section) {
  auto read = [&section](Reading& reading, const Node& node, S& out) { section.read(reading, node, out); };
  auto text = [](const S&) { return std::string("{}"); };
  auto changes = [&section](const S& a, const S& b, const std::string& prefix, std::vector<ChangedKey>& out) {
    section.changes(a, b, prefix, out);
  };
  return {"object", read, text, {&section.info()}, changes};
}

}  // namespace tidegate::config
