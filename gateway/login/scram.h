// SCRAM-SHA-256, the server's side (RFC 5802, RFC 7677): the password is proved and never sent, and what is stored here
// does not log anybody in. Without channel binding.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace tidegate {

inline constexpr std::string_view scram_method = "SCRAM-SHA-256";

// As text: "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey", the three in Base64.
struct ScramVerifier {
  int iterations = 0;
  std::string salt;
  std::string stored_key;  // 32 bytes each
  std::string server_key;
};
[[nodiscard]] std::optional<ScramVerifier> parse_scram_verifier(std::string_view text);

// Of a new salt. Errors: invalid (a password beyond printable ASCII: its preparation by RFC 4013 is not built);
// not_available (no random bytes). Takes about as long as a check: some ten milliseconds.
[[nodiscard]] Result<std::string> make_scram_verifier(std::string_view password);
[[nodiscard]] bool is_scram_password(std::string_view verifier, std::string_view password);

// One exchange: two messages of the client, two answers. Microseconds each.
class ScramServer {
 public:
  // The verifier of a user. For one who is not known, or has none: one that looks like others and that nothing proves.
  using Lookup = std::function<ScramVerifier(const std::string& user)>;
  // `nonce`: printable, without a comma, never used before.
  ScramServer(Lookup lookup, std::string nonce) : lookup_(std::move(lookup)), nonce_(std::move(nonce)) {}

  // The answer. Nothing: the exchange has failed, for whatever reason, and is over.
  [[nodiscard]] std::optional<std::string> next(std::string_view message);
  [[nodiscard]] bool is_done() const { return done_; }  // then `user` has proved who it is
  [[nodiscard]] const std::string& user() const { return user_; }

 private:
  [[nodiscard]] std::optional<std::string> first(std::string_view message);
  [[nodiscard]] std::optional<std::string> final(std::string_view message);

  Lookup lookup_;
  std::string nonce_;  // ours; then both
  std::string user_;
  std::string header_;         // of the client's first message: gs2-header
  std::string signed_so_far_;  // client-first-message-bare "," server-first-message
  ScramVerifier verifier_;
  bool begun_ = false;
  bool over_ = false;
  bool done_ = false;
};

[[nodiscard]] std::string scram_nonce();

}  // namespace tidegate
