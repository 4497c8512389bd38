#include "tests/sim/sim_noise.h"

#include "tests/support/packets.h"

namespace tidegate::sim {

void SimNoise::connect() {
  test::ConnectOptions options;
  options.version = random_.one_in(2) ? test::v5 : test::v4;
  options.clean = random_.one_in(2);
  options.keep_alive = static_cast<uint16_t>(random_.below(3) * 20);
  if (random_.one_in(2)) {
    options.will = test::WillOptions{"noise/will", "gone", static_cast<int>(random_.below(3)), random_.one_in(2), {}};
    if (options.version == test::v5 && random_.one_in(2)) {
      options.will->properties =
          test::prop(mqtt::PropertyId::will_delay_interval, static_cast<uint32_t>(random_.below(60)));
    }
  }
  if (options.version == test::v5) {
    options.properties = test::session_expiry(static_cast<uint32_t>(random_.below(3) * 30)) +
                         test::receive_maximum(static_cast<uint32_t>(1 + random_.below(3)));
    if (random_.one_in(3)) options.properties += test::prop(mqtt::PropertyId::maximum_packet_size, 24u);
  }
  client_.connect(options);
}

void SimNoise::send_junk() {
  const auto& all = test::all_packets();
  client_.send(test::bytes_of(all[random_.below(all.size())].hex));
}

void SimNoise::act() {
  (void)client_.packets();
  if (!client_.is_open() || random_.one_in(12)) return connect();
  static constexpr const char* filters[] = {"#",      "noise/#",    "+/a",        "p0/a",
                                            "p1/+/b", "noise/will", "$share/n/#", "$share/n/noise/#"};
  static constexpr const char* topics[] = {"noise/1", "noise/2", "noise/will"};
  auto id = static_cast<uint16_t>(1 + random_.below(6));
  auto qos = static_cast<int>(random_.below(3));
  switch (random_.below(12)) {
    case 0: return client_.lose();
    case 1: return client_.disconnect();
    case 2:
    case 3: return client_.subscribe(filters[random_.below(8)], qos, {.id = id});
    case 4: return client_.unsubscribe(filters[random_.below(8)], id);
    case 5: return client_.puback(id);
    case 6: return client_.pubrec(id);
    case 7: return client_.pubrel(id);
    case 8: return client_.pubcomp(id);
    case 9: return send_junk();
    default: {
      std::string properties;
      if (client_.version() == test::v5 && random_.one_in(2)) properties = test::message_expiry(10);
      client_.publish(topics[random_.below(3)], std::string(random_.below(3) * 20, 'x'),
                      {.qos = qos, .id = id, .retain = random_.one_in(3), .properties = properties});
    }
  }
}

void SimNoise::end() {
  client_.connect({});
  client_.disconnect();
}

}  // namespace tidegate::sim
