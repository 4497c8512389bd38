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

// fuzz_proxy_header: a header of each version with the beginning of MQTT behind it.
void write_proxy_headers(const fs::path& folder) {
  using namespace std::string_literals;
  std::string binary = "\r\n\r\n\0\r\nQUIT\n"s;
  size_t number = 0;
  for (const std::string& header :
       {"PROXY TCP4 192.168.1.7 10.0.0.1 49152 1883\r\n"s, "PROXY TCP6 2001:db8::7 ::1 65535 0\r\n"s,
        "PROXY UNKNOWN\r\n"s, binary + "\x21\x11\0\x0c\xC0\xA8\x01\x07\x0A\0\0\x01\xC0\0\x07\x5B"s,
        binary + "\x21\x21\0\x24"s + std::string(36, '\1'), binary + "\x20\0\0\0"s}) {
    write(folder / "proxy", ++number, header + "\x10");
  }
}

// fuzz_ws_frames: a message in pieces with a ping between them, and a close; masks of zero.
void write_ws_frames(const fs::path& folder) {
  using namespace std::string_literals;
  std::string mask(4, '\0');
  write(folder / "ws", 1,
        "\x02\x83"s + mask + "one" + "\x89\x81" + mask + "p" + "\x80\xfe\0\x80"s + mask + std::string(128, 'x') +
            "\x88\x82" + mask + "\x03\xe8");
}

void write_ws_upgrades(const fs::path& folder) {
  write(folder / "ws_upgrade", 1,
        "GET /mqtt HTTP/1.1\r\nHost: box\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: mqttv3.1, mqtt\r\nOrigin: https://plant.example\r\n\r\n");
}

void write_access_files(const fs::path& folder) {
  write(folder / "access_files", 1,
        "# devices\ntopic read a/#\nuser u\ntopic readwrite b/+\ntopic deny b/c\npattern write %u/%c/#\n");
  write(folder / "access_files", 2, "u:$6$c2FsdA==$aGFzaA==\nv:$7$101$c2FsdA==$aGFzaA==\n\nw:plain\n");
}

// fuzz_scram: two messages, a zero byte between them.
void write_scram(const fs::path& folder) {
  using namespace std::string_literals;
  write(folder / "scram", 1, "n,,n=user,r=abc\0c=biws,r=abcnonce,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="s);
  write(folder / "scram", 2,
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="s);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_fuzz_seeds FOLDER\n";
    return 2;
  }
  write_packets(argv[1]);
  write_topics(argv[1]);
  write_proxy_headers(argv[1]);
  write_ws_frames(argv[1]);
  write_ws_upgrades(argv[1]);
  write_access_files(argv[1]);
  write_scram(argv[1]);
}
