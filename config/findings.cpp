#include "config/findings.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tidegate::config {

Findings::Findings(const Places& places, Reading& reading) : places_(places), reading_(reading) {
  std::map<std::pair<std::string, std::string>, std::string> joined;  // file and pointer there → pointer here
  for (const auto& [pointer, place] : places_) joined.emplace(std::pair(place.file, place.pointer), pointer);
  for (const Problem& problem : reading_.problems()) {
    if (problem.severity != Severity::error) continue;
    auto at = joined.find({problem.place.file, problem.place.pointer});
    broken_.insert(at != joined.end() ? at->second : problem.place.pointer);
  }
}

void Findings::error(const std::string& pointer, std::string message, std::initializer_list<std::string> depends) {
  if (stands(pointer, depends)) reading_.error(place_of(pointer), std::move(message));
}

void Findings::warning(const std::string& pointer, std::string message, std::initializer_list<std::string> depends) {
  if (stands(pointer, depends)) reading_.warning(place_of(pointer), std::move(message));
}

std::string Findings::line_of(const std::string& pointer, const std::string& from) const {
  const Place& place = place_of(pointer);
  std::string line = std::to_string(place.line);
  return place.file == place_of(from).file ? "line " + line : place.file + ":" + line;
}

const Place& Findings::place_of(std::string pointer) const {
  static const Place nowhere;
  while (true) {
    auto at = places_.find(pointer);
    if (at != places_.end()) return at->second;
    if (pointer.empty()) return nowhere;
    pointer.resize(pointer.rfind('/'));
  }
}

// No error at the pointer or below it.
bool Findings::could_be_read(const std::string& pointer) const {
  auto at = broken_.lower_bound(pointer);
  if (at != broken_.end() && *at == pointer) return false;
  at = broken_.lower_bound(pointer + "/");
  return at == broken_.end() || !at->starts_with(pointer + "/");
}

bool Findings::stands(const std::string& pointer, std::initializer_list<std::string> depends) const {
  if (depends.size() == 0) return could_be_read(pointer);
  return std::ranges::all_of(depends, [&](const auto& p) { return could_be_read(p); });
}

}  // namespace tidegate::config
