#include "gateway/net/tls_psk.h"

#include <gtest/gtest.h>

namespace tidegate::net {
namespace {

std::string wrong(std::string_view text) {
  auto keys = parse_psk(text);
  return keys ? "none" : keys.error().context;
}

TEST(Psk, ReadsMosquittosLines) {
  auto keys = parse_psk("# meters\nmeter1:00fF\r\n\nplant:7:42");
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 2u);
  EXPECT_EQ(keys->at("meter1"), std::string("\0\xff", 2));
  EXPECT_EQ(keys->at("plant:7"), "\x42");
}

TEST(Psk, NamesTheLineAndNeverTheKey) {
  EXPECT_EQ(wrong("a:00\nb"), "line 2: expected NAME:KEY with the key in hexadecimal digits");
  EXPECT_EQ(wrong(":00"), "line 1: expected a name of 1 to 128 bytes");
  for (const char* key : {"", "0", "0g", "+1", " 1", "-1", "0x"}) {
    EXPECT_EQ(wrong(std::string("a:") + key), "line 1: expected a key of 2 to 512 hexadecimal digits") << key;
  }
  EXPECT_EQ(wrong("a:" + std::string(514, '0')), "line 1: expected a key of 2 to 512 hexadecimal digits");
  EXPECT_EQ(wrong("a:00\na:01"), "line 2: the name stands in a line before already");
  EXPECT_EQ(wrong("# nothing\n"), "no key in it: expected lines of NAME:KEY");
}

}  // namespace
}  // namespace tidegate::net
