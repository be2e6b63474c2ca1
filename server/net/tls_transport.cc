#include "server/net/tls_transport.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <utility>

namespace deberta::server {
namespace {

constexpr size_t kMaxNameBytes = 256;

// A name that may stand in logs and be compared: printable ASCII, not long.
std::string NameOf(const ASN1_STRING* text) {
  const std::string_view bytes(
      reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
      static_cast<size_t>(ASN1_STRING_length(text)));
  const bool printable = std::all_of(
      bytes.begin(), bytes.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!printable || bytes.size() > kMaxNameBytes) return "";
  return std::string(bytes);
}

std::string AlternativeName(const X509* certificate, int kind) {
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && found.empty(); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    if (name->type == kind) found = NameOf(name->d.ia5);
  }
  GENERAL_NAMES_free(names);
  return found;
}

std::string CommonName(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int index =
      X509_NAME_get_index_by_NID(subject, NID_commonName, /*lastpos=*/-1);
  if (index < 0) return "";
  return NameOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
}

}  // namespace

std::unique_ptr<Transport> TlsTransport::Accept(SSL_CTX* context,
                                                int descriptor) {
  Session session(SSL_new(context), &SSL_free);
  if (session == nullptr || SSL_set_fd(session.get(), descriptor) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_accept_state(session.get());
  return std::unique_ptr<Transport>(
      new TlsTransport(std::move(session), descriptor));
}

Io TlsTransport::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(session_.get());
  if (result != 1) {
    handshake_writes_ = SSL_want_write(session_.get());
    const Io io = Outcome(result);
    if (io == Io::kBlocked) return io;
    broken_ = true;
    return Io::kBroken;
  }
  const unsigned char* protocol = nullptr;
  unsigned int bytes = 0;
  SSL_get0_alpn_selected(session_.get(), &protocol, &bytes);
  return bytes == 2 ? Io::kDone : Io::kBroken;
}

std::string TlsTransport::certificate_name() const {
  const X509* const certificate = SSL_get0_peer_certificate(session_.get());
  if (certificate == nullptr) return "";
  std::string name = AlternativeName(certificate, GEN_URI);
  if (name.empty()) name = AlternativeName(certificate, GEN_DNS);
  return name.empty() ? CommonName(certificate) : name;
}

IoResult TlsTransport::Read(char* bytes, size_t size) {
  ERR_clear_error();
  size_t count = 0;
  const int result = SSL_read_ex(session_.get(), bytes, size, &count);
  if (result == 1) return {Io::kDone, count};
  const Io io = Outcome(result);
  broken_ = broken_ || io == Io::kBroken;
  return {io};
}

IoResult TlsTransport::Write(std::string_view bytes) {
  ERR_clear_error();
  size_t count = 0;
  const int result =
      SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &count);
  if (result == 1) return {Io::kDone, count};
  const Io io = Outcome(result);
  broken_ = broken_ || io != Io::kBlocked;
  return {io == Io::kBlocked ? io : Io::kBroken};
}

void TlsTransport::End() {
  ERR_clear_error();
  if (!broken_) SSL_shutdown(session_.get());
  ERR_clear_error();
  shutdown(descriptor_, SHUT_WR);
}

Io TlsTransport::Outcome(int result) const {
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Io::kBlocked;
    case SSL_ERROR_ZERO_RETURN:
      return Io::kEnded;
    default:
      return Io::kBroken;
  }
}

}  // namespace deberta::server
