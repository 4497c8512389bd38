#include "gateway/net/tls_channel.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gateway/net/tls_reason.h"

namespace tidegate::net {
namespace {

constexpr size_t record_bytes_max = 16 * 1024;
constexpr size_t name_bytes_max = 1024;

// A name becomes a user name in rules and in the log: text, whole, without control characters.
bool is_fit_for_name(std::string_view name) {
  return !name.empty() && name.size() <= name_bytes_max &&
         std::none_of(name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; });
}

std::string common_name(const X509_NAME* subject) {
  int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return "";
  unsigned char* text = nullptr;
  int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return "";
  std::string name(reinterpret_cast<char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return name;
}

// "CN=line3,O=Plant 7" as RFC 2253 writes it and Mosquitto does.
std::string whole_name(const X509_NAME* subject) {
  std::unique_ptr<BIO, decltype(&::BIO_free)> memory(BIO_new(BIO_s_mem()), ::BIO_free);
  if (X509_NAME_print_ex(memory.get(), subject, 0, XN_FLAG_RFC2253) < 0) return "";
  char* text = nullptr;
  long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<size_t>(size)};
}

}  // namespace

TlsChannel::TlsChannel(int socket, std::shared_ptr<const TlsContext> context)
    : socket_(socket), context_(std::move(context)) {}

TlsChannel::~TlsChannel() = default;

Outcome TlsChannel::outcome_of(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return Outcome::wants_read;
    case SSL_ERROR_WANT_WRITE: return Outcome::wants_write;
    case SSL_ERROR_ZERO_RETURN: return Outcome::ended;
    case SSL_ERROR_SYSCALL: {
      int number = errno;
      broken_ = true;
      bool reset = number == 0 || number == ECONNRESET || number == EPIPE;
      if (reset && ERR_peek_error() == 0) return Outcome::ended;
      error_ = std::strerror(number);
      ERR_clear_error();
      return Outcome::failed;
    }
    default:
      broken_ = true;
      error_ = handshake_reason(SSL_get_verify_result(ssl_.get()));
      return Outcome::failed;
  }
}

Outcome TlsChannel::open() {
  if (!ssl_) {
    char first = 0;
    ssize_t n = ::recv(socket_, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Outcome::wants_read;
    if (n <= 0) return Outcome::ended;
    ERR_clear_error();
    ssl_.reset(SSL_new(context_->native()));
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket_) != 1) {
      error_ = "TLS: " + newest_tls_error();
      return Outcome::failed;
    }
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_accept_state(ssl_.get());
  }
  ERR_clear_error();
  errno = 0;
  int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return outcome_of(result);
  more_ = true;  // the first packet may have come with the handshake's last bytes
  return take_name() ? Outcome::done : Outcome::failed;
}

// The name that the listener takes for a user name, if the client has proved one.
bool TlsChannel::take_name() {
  const TlsOptions& options = context_->options();
  std::string psk = std::exchange(name_, {});
  if (!options.use_identity_as_username && !options.use_subject_as_username) return true;
  bool by_psk = SSL_version(ssl_.get()) >= TLS1_3_VERSION ? SSL_session_reused(ssl_.get()) == 1
                                                          : SSL_get_psk_identity(ssl_.get()) != nullptr;
  const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (by_psk && options.use_identity_as_username) {
    name_ = std::move(psk);
  } else if (certificate) {
    const X509_NAME* subject = X509_get_subject_name(certificate);
    name_ = options.use_identity_as_username ? common_name(subject) : whole_name(subject);
  } else {
    return true;  // logs in with a user name and a password
  }
  if (is_fit_for_name(name_)) return true;
  error_ = "TLS: its certificate holds no name that can be a user name";
  return false;
}

void TlsChannel::introduce(Introduction& client) {
  client.username = std::exchange(name_, {});
}

Progress TlsChannel::read(std::span<char> to) {
  size_t filled = 0;
  more_ = false;
  while (filled < to.size()) {
    ERR_clear_error();
    errno = 0;
    size_t n = 0;
    if (SSL_read_ex(ssl_.get(), to.data() + filled, to.size() - filled, &n) != 1) {
      Outcome outcome = outcome_of(0);
      // Nothing is to be written for reading, but for the answer to a key update, which goes with the next write.
      return {outcome == Outcome::wants_write ? Outcome::wants_read : outcome, filled};
    }
    filled += n;
  }
  more_ = true;
  return {Outcome::done, filled};
}

Progress TlsChannel::write(const iovec* vectors, int count) {
  size_t taken = 0;
  char joined[record_bytes_max];
  size_t skip = 0;  // of vectors[0]
  while (count > 0) {
    size_t size = 0;
    const char* from = joined;
    if (count == 1 || vectors[0].iov_len - skip >= record_bytes_max) {
      from = static_cast<const char*>(vectors[0].iov_base) + skip;
      size = std::min(vectors[0].iov_len - skip, record_bytes_max);
    } else {
      size_t begin = skip;
      for (int i = 0; i < count && size < record_bytes_max; ++i, begin = 0) {
        size_t n = std::min(vectors[i].iov_len - begin, record_bytes_max - size);
        std::memcpy(joined + size, static_cast<const char*>(vectors[i].iov_base) + begin, n);
        size += n;
      }
    }
    if (size == 0) break;
    ERR_clear_error();
    errno = 0;
    size_t n = 0;
    if (SSL_write_ex(ssl_.get(), from, size, &n) != 1) {
      Outcome outcome = outcome_of(0);
      return {outcome == Outcome::ended ? Outcome::failed : outcome, taken};
    }
    taken += n;
    for (n += skip, skip = 0; count > 0 && n >= vectors[0].iov_len; ++vectors, --count) n -= vectors[0].iov_len;
    skip = n;
  }
  return {Outcome::done, taken};
}

void TlsChannel::end(bool) {
  if (!ssl_ || broken_ || SSL_in_init(ssl_.get())) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsChannel::answer_psk(SSL_CTX* context) {
  SSL_CTX_set_psk_server_callback(context, find_psk);
}

unsigned TlsChannel::find_psk(SSL* ssl, const char* name, unsigned char* key, unsigned key_size) {
  auto* channel = static_cast<TlsChannel*>(SSL_get_app_data(ssl));
  const std::string* found = name ? channel->context_->psk(name) : nullptr;
  if (!found || found->size() > key_size) return 0;
  std::memcpy(key, found->data(), found->size());
  channel->name_ = name;
  return static_cast<unsigned>(found->size());
}

}  // namespace tidegate::net
