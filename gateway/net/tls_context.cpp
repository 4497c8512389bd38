#include "gateway/net/tls_context.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gateway/net/tls_channel.h"
#include "gateway/net/tls_psk.h"
#include "gateway/net/tls_reason.h"

namespace tidegate::net {
namespace {

constexpr size_t file_bytes_max = 4u << 20;
constexpr uint32_t secret_mode_max = 0640;

// A key with a password would have OpenSSL ask on the terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

struct Descriptor {
  int value;
  explicit Descriptor(int fd) : value(fd) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

template <class T, void (*free_it)(T*)>
struct Freed {
  void operator()(T* it) const { free_it(it); }
};
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Revocations = std::unique_ptr<X509_CRL, Freed<X509_CRL, X509_CRL_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Memory = std::unique_ptr<BIO, FreeBio>;

// Whether one of the authorities has signed the list.
bool is_by(X509_CRL* list, X509_STORE* authorities) {
  const STACK_OF(X509_OBJECT)* all = X509_STORE_get0_objects(authorities);
  for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
    const X509* each = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
    if (each && X509_CRL_verify(list, X509_get0_pubkey(each)) == 1) return true;
  }
  ERR_clear_error();
  return false;
}

Memory memory_of(const std::string& text) {
  return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string octal(uint32_t mode) {
  std::string out;
  for (int shift = 9; shift >= 0; shift -= 3) out += static_cast<char>('0' + ((mode >> shift) & 7));
  return out;
}

// "2031-04-01"
std::string date_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "?";
  char text[16];
  size_t n = std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return {text, n};
}

}  // namespace

// One load: the context as far as it is made, and what was wrong on the way.
class TlsLoading {
 public:
  TlsLoading(const TlsOptions& options, Now now, std::vector<TlsProblem>& problems)
      : made_(new TlsContext(options)), options_(made_->options_), problems_(problems) {
    now_ = static_cast<time_t>(std::chrono::duration_cast<Seconds>(now.wall.since_epoch).count());
  }

  [[nodiscard]] std::shared_ptr<const TlsContext> run() {
    made_->context_.reset(SSL_CTX_new(TLS_server_method()));
    context_ = made_->context_.get();
    if (!context_) {
      wrong("", "OpenSSL gives no context: " + newest_tls_error());
      return nullptr;
    }
    set_modes();
    load_certificate();
    load_authorities();
    load_psk();
    set_ciphers();
    set_alpn();
    return failed_ ? nullptr : std::shared_ptr<const TlsContext>(std::move(made_));
  }

 private:
  void wrong(std::string_view key, std::string what) {
    failed_ = true;
    problems_.push_back({key, false, std::move(what)});
    ERR_clear_error();
  }
  void warn(std::string_view key, std::string what) { problems_.push_back({key, true, std::move(what)}); }

  void set_modes();
  void load_certificate();
  [[nodiscard]] Certificate read_chain(const std::string& text);
  void load_authorities();
  void load_revocations();
  void check_dates(std::string_view key, const std::string& path, const X509* certificate);
  void load_psk();
  void set_ciphers();
  void set_alpn();
  [[nodiscard]] bool read(std::string_view key, const std::string& path, bool is_secret, std::string& text);

  std::unique_ptr<TlsContext> made_;
  const TlsOptions& options_;
  std::vector<TlsProblem>& problems_;
  SSL_CTX* context_ = nullptr;
  time_t now_ = 0;
  bool failed_ = false;
};

bool TlsLoading::read(std::string_view key, const std::string& path, bool is_secret, std::string& text) {
  auto fail_with_errno = [&] {
    wrong(key, "cannot read " + path + ": " + std::strerror(errno));
    return false;
  };
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (file.value < 0 || ::fstat(file.value, &info) != 0) return fail_with_errno();
  if (!S_ISREG(info.st_mode)) {
    wrong(key, path + " is not a file");
    return false;
  }
  if (is_secret && (info.st_mode & 0777 & ~secret_mode_max) != 0) {
    wrong(key, path + " holds a secret and has mode " + octal(info.st_mode & 0777) +
                   ": others could read or change it; run: chmod 0640 " + path);
    return false;
  }
  char buffer[16384];
  for (;;) {
    ssize_t n = ::read(file.value, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_with_errno();
    if (n == 0) return true;
    text.append(buffer, static_cast<size_t>(n));
    if (text.size() > file_bytes_max) {
      wrong(key, path + " is too large: expected at most 4 MiB");
      return false;
    }
  }
}

void TlsLoading::set_modes() {
  // Buffers go back while nothing is on its way: an idle connection holds none.
  SSL_CTX_set_mode(context_,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context_, 1);
  SSL_CTX_set_options(context_, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                    SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_min_proto_version(context_, options_.min_version == TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  bool names_clients = !options_.ca_file.empty() || !options_.ca_path.empty() || !options_.psk_file.empty();
  if (names_clients) {
    // A resumed session would pass by a certificate's end and revocation.
    SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context_, 0);
  } else {
    SSL_CTX_set_num_tickets(context_, 1);
  }
  SSL_CTX_set_default_passwd_cb(context_, no_password);
}

// The first certificate of the file; the others become the chain.
Certificate TlsLoading::read_chain(const std::string& text) {
  Memory memory = memory_of(text);
  Certificate own(PEM_read_bio_X509_AUX(memory.get(), nullptr, no_password, nullptr));
  if (!own) {
    wrong("cert_file", options_.cert_file + " holds no certificate in PEM form");
    return nullptr;
  }
  if (SSL_CTX_use_certificate(context_, own.get()) != 1) {
    wrong("cert_file", options_.cert_file + ": the certificate cannot be used: " + newest_tls_error());
    return nullptr;
  }
  while (X509* next = PEM_read_bio_X509(memory.get(), nullptr, no_password, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context_, next) != 1) X509_free(next);
  }
  ERR_clear_error();
  check_dates("cert_file", options_.cert_file, own.get());
  return own;
}

void TlsLoading::check_dates(std::string_view key, const std::string& path, const X509* certificate) {
  if (X509_cmp_time(X509_get0_notAfter(certificate), &now_) < 0) {
    warn(key, path + ": the certificate has expired on " + date_of(X509_get0_notAfter(certificate)) +
                  "; devices that check it will not connect");
  } else if (X509_cmp_time(X509_get0_notBefore(certificate), &now_) > 0) {
    warn(key, path + ": the certificate is valid from " + date_of(X509_get0_notBefore(certificate)) +
                  " on only; is this box's clock right?");
  }
}

void TlsLoading::load_certificate() {
  if (options_.cert_file.empty() || options_.key_file.empty()) return;
  std::string certificate, key_text;
  Certificate own;
  if (read("cert_file", options_.cert_file, false, certificate)) own = read_chain(certificate);
  if (!read("key_file", options_.key_file, true, key_text)) return;
  Memory memory = memory_of(key_text);
  Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_password, nullptr));
  OPENSSL_cleanse(key_text.data(), key_text.size());
  if (!key) {
    return wrong("key_file", options_.key_file + " holds no key in PEM form that can be read without a password");
  }
  if (!own) return;
  if (X509_check_private_key(own.get(), key.get()) != 1) {
    return wrong("key_file", options_.key_file + " is not the key of the certificate in " + options_.cert_file);
  }
  if (SSL_CTX_use_PrivateKey(context_, key.get()) != 1) {
    wrong("key_file", options_.key_file + ": the key cannot be used: " + newest_tls_error());
  }
}

void TlsLoading::load_authorities() {
  if (!options_.ca_file.empty()) {
    std::string text;
    if (!read("ca_file", options_.ca_file, false, text)) return;
    Memory memory = memory_of(text);
    size_t found = 0;
    while (Certificate each{PEM_read_bio_X509(memory.get(), nullptr, no_password, nullptr)}) {
      ++found;
      check_dates("ca_file", options_.ca_file, each.get());
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), each.get());
      SSL_CTX_add_client_CA(context_, each.get());  // named to clients, which choose their certificate by it
    }
    ERR_clear_error();
    if (found == 0) return wrong("ca_file", options_.ca_file + " holds no certificate in PEM form");
  }
  if (!options_.ca_path.empty()) {
    struct stat info {};
    if (::stat(options_.ca_path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
      return wrong("ca_path", options_.ca_path + " is not a folder that can be read");
    }
    if (SSL_CTX_load_verify_dir(context_, options_.ca_path.c_str()) != 1) {
      return wrong("ca_path", options_.ca_path + ": " + newest_tls_error());
    }
  }
  if (!options_.crl_file.empty()) load_revocations();
  if (options_.ca_file.empty() && options_.ca_path.empty()) return;
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | (options_.require_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
}

void TlsLoading::load_revocations() {
  std::string text;
  if (!read("crl_file", options_.crl_file, false, text)) return;
  Memory memory = memory_of(text);
  X509_STORE* store = SSL_CTX_get_cert_store(context_);
  size_t found = 0;
  bool believed = !options_.ca_path.empty();  // what is in that folder is read as clients come
  while (Revocations each{PEM_read_bio_X509_CRL(memory.get(), nullptr, no_password, nullptr)}) {
    ++found;
    const ASN1_TIME* next = X509_CRL_get0_nextUpdate(each.get());
    if (next && X509_cmp_time(next, &now_) < 0) {
      warn("crl_file", options_.crl_file + ": the list was to be renewed by " + date_of(next) +
                           "; until then no client's certificate is believed");
    }
    believed = believed || is_by(each.get(), store);
    X509_STORE_add_crl(store, each.get());
  }
  ERR_clear_error();
  if (found > 0 && !believed) {
    warn("crl_file", options_.crl_file + ": no CA in " + options_.ca_file +
                         " has signed it; until there is a list of that CA's no client's certificate is believed");
  }
  if (found == 0) {
    return wrong("crl_file", options_.crl_file + " holds no list of revoked certificates in PEM form");
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
}

void TlsLoading::load_psk() {
  if (options_.psk_file.empty()) return;
  std::string text;
  if (!read("psk_file", options_.psk_file, true, text)) return;
  auto keys = parse_psk(text);
  OPENSSL_cleanse(text.data(), text.size());
  if (!keys) return wrong("psk_file", options_.psk_file + ": " + keys.error().context);
  made_->psk_ = std::move(*keys);
  TlsChannel::answer_psk(context_);
  if (!options_.psk_hint.empty() && SSL_CTX_use_psk_identity_hint(context_, options_.psk_hint.c_str()) != 1) {
    wrong("psk_hint", "expected at most 128 bytes");
  }
}

void TlsLoading::set_ciphers() {
  if (!options_.ciphers.empty() && SSL_CTX_set_cipher_list(context_, options_.ciphers.c_str()) != 1) {
    wrong("ciphers", "OpenSSL knows none of these ciphers; see: openssl ciphers");
  }
  if (!options_.ciphers_tls1_3.empty() && SSL_CTX_set_ciphersuites(context_, options_.ciphers_tls1_3.c_str()) != 1) {
    wrong("ciphers_tls1_3", "OpenSSL does not know these; expected for example TLS_AES_256_GCM_SHA384");
  }
}

void TlsLoading::set_alpn() {
  if (options_.alpn.empty()) return;
  for (const std::string& each : options_.alpn) made_->alpn_ += static_cast<char>(each.size()) + each;
  auto choose = [](SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                   void* ours) {
    const auto* wire = static_cast<const std::string*>(ours);
    unsigned char* chosen = nullptr;
    int found = SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(wire->data()),
                                      static_cast<unsigned>(wire->size()), in, in_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  };
  SSL_CTX_set_alpn_select_cb(context_, choose, &made_->alpn_);
}

TlsContext::TlsContext(TlsOptions options) : options_(std::move(options)) {}
TlsContext::~TlsContext() = default;

std::shared_ptr<const TlsContext> TlsContext::load(const TlsOptions& options, Now now,
                                                   std::vector<TlsProblem>& problems) {
  ERR_clear_error();
  return TlsLoading(options, now, problems).run();
}

const std::string* TlsContext::psk(std::string_view name) const {
  auto at = psk_.find(name);
  return at == psk_.end() ? nullptr : &at->second;
}

std::string tls_fingerprint(const TlsOptions& options) {
  std::string out;
  for (const std::string* path : {&options.cert_file, &options.key_file, &options.ca_file, &options.ca_path,
                                  &options.crl_file, &options.psk_file}) {
    if (path->empty()) continue;
    struct stat info {};
    bool there = ::stat(path->c_str(), &info) == 0;
    out += *path;
    for (auto value : {info.st_ino, static_cast<ino_t>(info.st_size), static_cast<ino_t>(info.st_mtim.tv_sec),
                       static_cast<ino_t>(info.st_mtim.tv_nsec), static_cast<ino_t>(info.st_ctim.tv_sec),
                       static_cast<ino_t>(info.st_ctim.tv_nsec)}) {
      out += ' ' + (there ? std::to_string(value) : std::string("-"));
    }
    out += '\n';
  }
  return out;
}

}  // namespace tidegate::net
