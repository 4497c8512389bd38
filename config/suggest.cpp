#include "config/suggest.h"

#include <algorithm>
#include <vector>

namespace tidegate::config {
namespace {

constexpr size_t word_bytes_max = 64;  // longer ones are no slips, and cost the square

std::string plain(std::string_view word) {
  std::string out;
  for (char c : word)
    if (c != '-' && c != '_' && c != ' ') out += (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// Optimal string alignment: Levenshtein, and a swap of neighbours costs one.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() > word_bytes_max) return std::nullopt;
  std::string wanted = plain(word);
  std::optional<std::string> best;
  size_t best_distance = wanted.size() / 3 + 1;  // at most a third of the word, and at least nothing but its spelling
  for (const std::string& candidate : candidates) {
    std::string other = plain(candidate);
    size_t longer = std::max(wanted.size(), other.size()), shorter = std::min(wanted.size(), other.size());
    if (longer - shorter >= best_distance) continue;
    size_t d = distance(wanted, other);
    if (d >= best_distance) continue;
    best = candidate;
    best_distance = d;
  }
  return best;
}

}  // namespace tidegate::config
