// The CloudLink made of Paho MQTT C++ 1.2.0 on C 1.3.12; paho_link.cpp is the only file that includes Paho.
#pragma once

#include <memory>

#include "bridge/cloud_link.h"

namespace tidegate::bridge {

// `events` outlives the link.
[[nodiscard]] std::unique_ptr<CloudLink> make_paho_link(LinkEvents& events);

}  // namespace tidegate::bridge
