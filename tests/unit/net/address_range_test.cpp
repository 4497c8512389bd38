#include "gateway/net/address_range.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace tidegate::net {
namespace {

sockaddr_storage address(const std::string& text) {
  sockaddr_storage out{};
  bool v6 = text.find(':') != std::string::npos;
  out.ss_family = v6 ? AF_INET6 : AF_INET;
  void* to = v6 ? static_cast<void*>(&reinterpret_cast<sockaddr_in6&>(out).sin6_addr)
                : static_cast<void*>(&reinterpret_cast<sockaddr_in&>(out).sin_addr);
  EXPECT_EQ(::inet_pton(out.ss_family, text.c_str(), to), 1);
  return out;
}

bool contains(const std::string& range, const std::string& one) {
  return AddressRange::parse(range).value().contains(address(one));
}

TEST(AddressRange, HoldsItsAddresses) {
  EXPECT_TRUE(contains("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(contains("10.1.2.3", "10.1.2.4"));
  EXPECT_TRUE(contains("10.1.0.0/16", "10.1.255.255"));
  EXPECT_FALSE(contains("10.1.0.0/16", "10.2.0.0"));
  EXPECT_TRUE(contains("10.1.2.128/25", "10.1.2.200"));
  EXPECT_FALSE(contains("10.1.2.128/25", "10.1.2.127"));
  EXPECT_TRUE(contains("0.0.0.0/0", "200.0.0.1"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("::1/128", "::1"));
}

TEST(AddressRange, RefusesWhatIsNone) {
  for (const char* text :
       {"", "/", "10.1/16", "10.1.0.0/33", "10.1.0.0/", "10.1.0.0/-1", "10.1.0.0/8x", "::/129", "a"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
}

}  // namespace
}  // namespace tidegate::net
