#include "server/net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/net/tls_transport.h"

namespace deberta::server {
namespace {

constexpr unsigned char kHttp2[] = {2, 'h', '2'};

// The reason of the last failure, which it forgets.
std::string Reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* const reason =
      code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "it cannot be read" : reason;
}

absl::Status Unusable(const char* what, const std::string& file) {
  return absl::InvalidArgumentError(
      absl::StrCat("the ", what, " ", file, ": ", Reason()));
}

int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_bytes,
                   const unsigned char* offered, unsigned int offered_bytes,
                   void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_bytes, kHttp2, sizeof(kHttp2), offered,
                            offered_bytes) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void SetPolicy(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, nullptr);
}

absl::Status ReadCertificate(const TlsFiles& files, SSL_CTX* context) {
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) !=
      1) {
    return Unusable("certificate", files.certificate);
  }
  // A pass phrase would be asked for at the terminal.
  SSL_CTX_set_default_passwd_cb(context,
                                [](char*, int, int, void*) { return -1; });
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(),
                                  SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return Unusable("key", files.key);
  }
  return absl::OkStatus();
}

absl::Status ReadClientCa(const std::string& file, SSL_CTX* context) {
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(file.c_str());
  if (names == nullptr ||
      SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return Unusable("client CA", file);
  }
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     nullptr);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Load(TlsFiles files) {
  std::unique_ptr<TlsContext> context(new TlsContext(std::move(files)));
  if (absl::StatusOr<bool> read = context->Refresh(); !read.ok())
    return read.status();
  return context;
}

absl::StatusOr<bool> TlsContext::Refresh() {
  // Before the files are read: what changes meanwhile is read the next time.
  const Stamps now = StampsNow();
  if (now == stamps_ && context_ != nullptr) return false;
  stamps_ = now;
  absl::StatusOr<std::shared_ptr<SSL_CTX>> read = Read();
  if (!read.ok()) return read.status();
  context_ = *std::move(read);
  return true;
}

TlsContext::Stamps TlsContext::StampsNow() const {
  Stamps stamps;
  const std::array<const std::string*, 3> names = {
      &files_.certificate, &files_.key, &files_.client_ca};
  for (size_t i = 0; i < names.size(); ++i) {
    struct stat status = {};
    if (names[i]->empty() || stat(names[i]->c_str(), &status) != 0) continue;
    stamps[i] = {.device = status.st_dev,
                 .inode = status.st_ino,
                 .bytes = status.st_size,
                 .changed_ns = status.st_ctim.tv_sec * 1'000'000'000 +
                               status.st_ctim.tv_nsec};
  }
  return stamps;
}

absl::StatusOr<std::shared_ptr<SSL_CTX>> TlsContext::Read() const {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()),
                                   SSL_CTX_free);
  if (context == nullptr) return absl::ResourceExhaustedError(Reason());
  SetPolicy(context.get());
  if (absl::Status s = ReadCertificate(files_, context.get()); !s.ok())
    return s;
  if (!files_.client_ca.empty()) {
    if (absl::Status s = ReadClientCa(files_.client_ca, context.get()); !s.ok())
      return s;
  }
  return context;
}

std::unique_ptr<Transport> TlsContext::Accept(int descriptor) const {
  return TlsTransport::Accept(context_.get(), descriptor);
}

}  // namespace deberta::server
