// Writes the seed corpora of the fuzz targets: make_fuzz_seeds FOLDER
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/support/packets.h"

namespace {

namespace fs = std::filesystem;

void write(const fs::path& folder, size_t number, const std::string& bytes) {
  fs::create_directories(folder);
  std::ofstream file(folder / std::to_string(number), std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw std::runtime_error("cannot write " + folder.string());
}

// fuzz_framer: a stream, whole and with its last byte missing. fuzz_decode: the version's level, then one packet.
void write_packets(const fs::path& folder) {
  using namespace tidegate::test;
  size_t number = 0;
  std::string stream;
  for (const RawPacket& row : all_packets()) {
    std::string bytes = bytes_of(row.hex);
    ++number;
    write(folder / "frames", number, bytes.substr(0, bytes.size() - number % 2));
    stream += bytes;
    for (char level : {3, 4, 5})
      if (row.versions >> level & 1) write(folder / "packets", number * 10 + static_cast<size_t>(level), level + bytes);
  }
  write(folder / "frames", 0, stream);
}

// fuzz_topic_filter: a filter, a zero byte, a topic.
void write_topics(const fs::path& folder) {
  const std::pair<std::string, std::string> pairs[] = {
      {"#", "a"},
      {"+", "a"},
      {"a/+/c", "a/b/c"},
      {"a/#", "a"},
      {"a/#", "a/b/c"},
      {"+/+", "/x"},
      {"/+", "/x"},
      {"$SYS/#", "$SYS/uptime"},
      {"#", "$SYS/up"},
      {"+/up", "$SYS/up"},
      {"a/b", "a/b/"},
      {"a//b", "a//b"},
      {"a/#/b", "a/x/b"},
      {"a+", "ab"},
      {"\xF0\x9F\x8C\x8A/+", "\xF0\x9F\x8C\x8A/x"},
      {"", ""},
      {"a/+/#", "a/b"},
      {"\xED\xA0\x80", "\xC0\x80"},
      {"#/", "a/"},
      {"+/#", "a"},
      {"12345678/+/87654321", "12345678/abcdefghijkl/87654321"},
  };
  size_t number = 0;
  for (const auto& [filter, topic] : pairs) write(folder / "topics", ++number, filter + '\0' + topic);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_fuzz_seeds FOLDER\n";
    return 2;
  }
  write_packets(argv[1]);
  write_topics(argv[1]);
}
