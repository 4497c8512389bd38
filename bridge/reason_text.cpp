#include "bridge/reason_text.h"

namespace tidegate::bridge {

std::string_view reason_name(int code) {
  switch (code) {
    case 0x80: return "Unspecified error";
    case 0x81: return "Malformed packet";
    case 0x82: return "Protocol error";
    case 0x83: return "Implementation specific error";
    case 0x84: return "Unsupported protocol version";
    case 0x85: return "Client identifier not valid";
    case 0x86: return "Bad user name or password";
    case 0x87: return "Not authorized";
    case 0x88: return "Server unavailable";
    case 0x89: return "Server busy";
    case 0x8A: return "Banned";
    case 0x8B: return "Server shutting down";
    case 0x8C: return "Bad authentication method";
    case 0x8D: return "Keep alive timeout";
    case 0x8E: return "Session taken over";
    case 0x8F: return "Topic filter invalid";
    case 0x90: return "Topic name invalid";
    case 0x91: return "Packet identifier in use";
    case 0x92: return "Packet identifier not found";
    case 0x93: return "Receive maximum exceeded";
    case 0x94: return "Topic alias invalid";
    case 0x95: return "Packet too large";
    case 0x96: return "Message rate too high";
    case 0x97: return "Quota exceeded";
    case 0x98: return "Administrative action";
    case 0x99: return "Payload format invalid";
    case 0x9A: return "Retain not supported";
    case 0x9B: return "QoS not supported";
    case 0x9C: return "Use another server";
    case 0x9D: return "Server moved";
    case 0x9E: return "Shared subscriptions not supported";
    case 0x9F: return "Connection rate exceeded";
    case 0xA0: return "Maximum connect time";
    case 0xA1: return "Subscription identifiers not supported";
    case 0xA2: return "Wildcard subscriptions not supported";
    default: return "Unknown reason";
  }
}

std::string_view connack_name_v3(int code) {
  switch (code) {
    case 1: return "Unacceptable protocol version";
    case 2: return "Identifier rejected";
    case 3: return "Server unavailable";
    case 4: return "Bad user name or password";
    case 5: return "Not authorized";
    default: return "Unknown return code";
  }
}

std::string connack_text(int code, int protocol) {
  std::string_view name = protocol >= 5 && code >= 0x80 ? reason_name(code) : connack_name_v3(code);
  return std::string(name) + " (CONNACK " + std::to_string(code) + ")";
}

std::string reason_text(int code) {
  return std::string(reason_name(code)) + " (" + std::to_string(code) + ")";
}

}  // namespace tidegate::bridge
