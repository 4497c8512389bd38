#include "config/validate.h"

namespace tidegate::config {
namespace {

constexpr size_t socket_path_bytes_max = 107;  // of sockaddr_un

void check_unix(const Listener& listener, const std::string& at, Findings& findings) {
  if (listener.path.empty())
    findings.error(at, "the key \"path\" is missing: expected the socket's file", {at + "/path", at + "/transport"});
  if (listener.path.size() > socket_path_bytes_max)
    findings.error(at + "/path",
                   "a Unix socket's path has 107 bytes at most, and this one " + std::to_string(listener.path.size()));
  for (const char* key : {"/bind", "/port"})
    if (findings.written(at + key))
      findings.error(at + key, "has no effect: transport unix has \"path\" in its place", {at + "/transport"});
  if (listener.proxy_protocol && findings.written(at + "/trusted_proxies"))
    findings.error(at + "/trusted_proxies", "has no effect: mode and owner of a Unix socket say who may connect",
                   {at + "/transport"});
  for (const char* key : {"/allow_addresses", "/deny_addresses"})
    if (!listener.proxy_protocol && findings.written(at + key))
      findings.error(at + key, "has no effect: mode and owner of a Unix socket say who may connect",
                     {at + "/transport", at + "/proxy_protocol"});
}

}  // namespace

void validate_transport(const Listener& listener, const std::string& at, Findings& findings) {
  bool is_unix = listener.transport == Transport::unix_socket;
  if (is_unix) check_unix(listener, at, findings);
  if (!is_unix && listener.bind.empty())
    findings.error(at, "the key \"bind\" is missing (IP address or interface)", {at + "/bind", at + "/transport"});
  for (const char* key : {"/path", "/mode", "/owner"})
    if (!is_unix && findings.written(at + key))
      findings.error(at + key, "is for \"transport\": \"unix\"", {at + "/transport"});
  for (const char* key : {"/http_paths", "/origins"})
    if (listener.transport != Transport::websocket && findings.written(at + key))
      findings.error(at + key, "is for \"transport\": \"websocket\"", {at + "/transport"});
  if (!listener.proxy_protocol && findings.written(at + "/trusted_proxies"))
    findings.error(at + "/trusted_proxies", "has no effect without \"proxy_protocol\": true",
                   {at + "/proxy_protocol", at + "/trusted_proxies"});
  if (listener.proxy_protocol && !is_unix && listener.trusted_proxies.empty())
    findings.error(at + "/proxy_protocol",
                   "needs trusted_proxies: with none, nobody could connect, and with all, everybody could lie about "
                   "the address",
                   {at + "/trusted_proxies", at + "/transport"});
}

}  // namespace tidegate::config
