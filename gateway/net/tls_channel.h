// TLS on a non-blocking socket: OpenSSL reads and writes the descriptor itself, and holds buffers only while a record is
// on its way. Nothing of OpenSSL is made before the first byte has come.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "gateway/net/channel.h"
#include "gateway/net/tls_context.h"

namespace tidegate::net {

class TlsChannel final : public Channel {
 public:
  // `socket` stays with the caller and outlives this.
  TlsChannel(int socket, std::shared_ptr<const TlsContext> context);
  ~TlsChannel() override;

  Outcome open() override;
  void introduce(Introduction& client) override;
  Progress read(std::span<char> to) override;
  [[nodiscard]] bool has_pending() const override { return more_; }
  Progress write(const iovec* vectors, int count) override;
  void end(bool going_away) override;
  [[nodiscard]] std::string error() const override { return error_; }

  // Has the connections of `context` ask their TlsContext for pre-shared keys.
  static void answer_psk(SSL_CTX* context);

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  [[nodiscard]] Outcome outcome_of(int result);
  [[nodiscard]] bool take_name();
  static unsigned find_psk(SSL* ssl, const char* name, unsigned char* key, unsigned key_size);

  const int socket_;
  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<SSL, Free> ssl_;
  std::string name_;   // while the handshake goes on: of the pre-shared key; then: of the client
  std::string error_;  // of what failed
  bool more_ = false;  // decrypted or undecrypted bytes may be waiting inside
  bool broken_ = false;
};

}  // namespace tidegate::net
