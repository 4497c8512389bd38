// The page for those who come from Mosquitto, and the table behind it: every option is there, every key in it is ours.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "config/mosquitto_options.h"
#include "config/schema.h"

namespace tidegate::config {
namespace {

// Every name that Mosquitto 2.1 reads, its signals and its command line.
constexpr const char* mosquittos = R"(
allow_anonymous allow_duplicate_messages allow_zero_length_clientid auto_id_prefix check_retain_source clientid_prefixes
connection_messages enable_control_api global_max_clients global_max_connections include_dir max_inflight_bytes
max_inflight_messages max_keepalive max_packet_size max_queued_bytes max_queued_messages memory_limit message_size_limit
per_listener_settings pid_file queue_qos0_messages retain_available retain_expiry_interval retry_interval
set_tcp_nodelay sys_interval upgrade_outgoing_qos user
acl_file password_file psk_file auth_plugin plugin global_plugin plugin_load plugin_use plugin_opt_* auth_opt_*
auth_plugin_deny_special_chars
listener port bind_address bind_interface socket_domain protocol accept_protocol_versions listener_allow_anonymous
listener_auto_id_prefix max_connections max_qos maximum_qos max_topic_alias max_topic_alias_broker mount_point
use_username_as_clientid enable_proxy_protocol proxy_protocol_v2_require_tls http_dir packet_buffer_size
websockets_headers_size websockets_log_level websockets_origin
cafile capath certfile keyfile ciphers ciphers_tls1.3 crlfile dhparamfile disable_client_cert_date_checks
require_certificate tls_engine tls_engine_kpass_sha1 tls_keyform tls_version use_identity_as_username
use_subject_as_username psk_hint
connection address addresses round_robin topic start_type threshold idle_timeout restart_timeout keepalive_interval
cleansession local_cleansession clientid remote_clientid username remote_username password remote_password
local_clientid local_username local_password notifications notifications_local_only notification_topic try_private
bridge_attempt_unsubscribe bridge_bind_address bridge_max_packet_size bridge_max_topic_alias bridge_outgoing_retain
bridge_protocol_version bridge_receive_maximum bridge_reload_type bridge_session_expiry_interval bridge_tcp_keepalive
bridge_tcp_user_timeout
bridge_alpn bridge_cafile bridge_capath bridge_certfile bridge_keyfile bridge_ciphers bridge_ciphers_tls1.3
bridge_identity bridge_psk bridge_insecure bridge_require_ocsp bridge_tls_use_os_certs bridge_tls_version
persistence retained_persistence persistence_file persistence_location autosave_interval autosave_on_changes
persistent_client_expiration plugin_opt_sync plugin_opt_flush_period plugin_opt_page_size db_file
log_dest log_type log_timestamp log_timestamp_format log_facility
SIGHUP SIGUSR1 SIGUSR2 SIGRTMIN
-c -d -p -v -q --test-config --tls-keylog
)";

std::set<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

std::string place(const SectionInfo& section) {
  return section.where.empty() ? "the top level" : section.where;
}

bool is_ours(std::string_view where, std::string_view key) {
  return std::ranges::any_of(all_sections(), [&](const SectionInfo* section) {
    return place(*section) == where && std::ranges::find(section->keys, key, &KeyInfo::key) != section->keys.end();
  });
}

// The words between backquotes.
std::vector<std::string> quoted_words(std::string_view text) {
  std::vector<std::string> found;
  for (size_t begin = text.find('`'); begin != std::string_view::npos;) {
    const size_t end = text.find('`', begin + 1);
    if (end == std::string_view::npos) break;
    found.emplace_back(text.substr(begin + 1, end - begin - 1));
    begin = text.find('`', end + 1);
  }
  return found;
}

bool begins_as_a_path(std::string_view word) {
  if (word.find(' ') != std::string_view::npos) return false;
  return std::ranges::any_of(
      std::array{"gateway.", "limits.", "listeners[].", "access.", "bridges[].", "store.", "log."},
      [&](std::string_view section) { return word.starts_with(section); });
}

bool has_reason(const MosquittoOption& option) {
  return std::ranges::any_of(std::array{"not needed: ", "none: ", "none in this version", "`"},
                             [&](std::string_view reason) { return option.ours.starts_with(reason); });
}

TEST(MosquittoPage, IsWhatTheTableSays) {
  std::string path = std::string(TIDEGATE_SOURCE_FOLDER) + "/config/MOSQUITTO.md";
  std::string printed = mosquitto_markdown();
  if (const char* to = std::getenv("TIDEGATE_WRITE_MOSQUITTO")) std::ofstream(to) << printed;
  std::stringstream page;
  page << std::ifstream(path).rdbuf();
  EXPECT_TRUE(page.str() == printed)
      << "print it anew: TIDEGATE_WRITE_MOSQUITTO=config/MOSQUITTO.md build/dev/tests/unit_config "
         "--gtest_filter=MosquittoPage.*";
}

TEST(MosquittoPage, HasEveryOptionOfMosquittos) {
  std::set<std::string> there;
  for (const MosquittoOption& option : mosquitto_options())
    if (option.part != MosquittoPart::elsewhere) there.emplace(option.theirs);
  EXPECT_EQ(there, words(mosquittos));
}

TEST(MosquittoPage, NamesKeysThatTheSchemaHas) {
  for (const MosquittoOption& option : mosquitto_options()) {
    if (option.where.empty()) continue;
    auto keys = keys_of(option);
    EXPECT_FALSE(keys.empty()) << option.theirs;
    for (const std::string& key : keys) EXPECT_TRUE(is_ours(option.where, key)) << option.theirs << ": " << key;
  }
}

// `listeners[].limits`, `store.path`: what looks like a key in the words beside them is one.
TEST(MosquittoPage, NamesKeysThatTheSchemaHasInItsRemarksToo) {
  std::set<std::string> paths;
  for (const SectionInfo* section : all_sections())
    for (const KeyInfo& key : section->keys)
      paths.insert((section->where.empty() ? "" : section->where + ".") + key.key);
  for (const MosquittoOption& option : mosquitto_options()) {
    for (const std::string& quoted : quoted_words(option.where.empty() ? option.ours : option.note)) {
      EXPECT_TRUE(!begins_as_a_path(quoted) || paths.contains(quoted)) << option.theirs << ": " << quoted;
    }
  }
}

TEST(MosquittoPage, StandsInOrderAndGivesAReasonWhereThereIsNoKey) {
  auto options = mosquitto_options();
  for (size_t i = 1; i < options.size(); ++i) {
    const MosquittoOption &before = options[i - 1], &option = options[i];
    if (option.part == MosquittoPart::elsewhere) continue;
    EXPECT_TRUE(std::pair(before.part, before.theirs) < std::pair(option.part, option.theirs)) << option.theirs;
  }
  for (const MosquittoOption& option : options)
    EXPECT_TRUE(!option.where.empty() || has_reason(option)) << option.theirs;
}

}  // namespace
}  // namespace tidegate::config
