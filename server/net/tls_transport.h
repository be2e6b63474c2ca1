// One connection over TLS.

#ifndef SERVER_NET_TLS_TRANSPORT_H_
#define SERVER_NET_TLS_TRANSPORT_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "server/net/transport.h"

namespace deberta::server {

class TlsTransport final : public Transport {
 public:
  // Null without memory. `descriptor` is the caller's.
  static std::unique_ptr<Transport> Accept(SSL_CTX* context, int descriptor);

  // kBroken unless the client speaks HTTP/2.
  Io Handshake() override;
  bool handshake_writes() const override { return handshake_writes_; }
  std::string certificate_name() const override;
  IoResult Read(char* bytes, size_t size) override;
  bool holds_bytes() const override { return true; }
  IoResult Write(std::string_view bytes) override;
  void End() override;

 private:
  using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;
  TlsTransport(Session session, int descriptor)
      : session_(std::move(session)), descriptor_(descriptor) {}
  // What a result that is no success means.
  Io Outcome(int result) const;

  const Session session_;
  const int descriptor_;
  bool handshake_writes_ = false;
  bool broken_ = false;
};

}  // namespace deberta::server

#endif  // SERVER_NET_TLS_TRANSPORT_H_
