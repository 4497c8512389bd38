// One table of annotated raw packets: good ones and every way to be wrong that a decoder can see. It feeds the codec's
// tests, the fuzz targets' seeds and the server's tests. Headers only, so that any test program may include it.
#pragma once

#include <vector>

#include "tests/support/packets_close.h"
#include "tests/support/packets_connect.h"
#include "tests/support/packets_publish.h"
#include "tests/support/packets_subscribe.h"

namespace tidegate::test {

[[nodiscard]] inline const std::vector<RawPacket>& all_packets() {
  static const std::vector<RawPacket> all = [] {
    std::vector<RawPacket> v;
    auto add = [&v](const auto& rows) { v.insert(v.end(), std::begin(rows), std::end(rows)); };
    using namespace table;
    add(kConnectBefore5), add(kConnect5), add(kConnack);
    add(kPublish), add(kAcks);
    add(kSubscribe), add(kSuback), add(kUnsubscribe), add(kUnsuback);
    add(kClose), add(kPropertyErrors);
    return v;
  }();
  return all;
}

}  // namespace tidegate::test
