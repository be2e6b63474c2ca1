// TLS towards clients, by OpenSSL: 1.2 or newer, HTTP/2 alone, and no sessions
// that are resumed, so that every connection proves its certificate.

#ifndef SERVER_NET_TLS_H_
#define SERVER_NET_TLS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/net/transport.h"

struct ssl_ctx_st;

namespace deberta::server {

struct TlsFiles {
  std::string certificate;  // PEM, with its chain
  std::string key;          // PEM
  // PEM; set: clients need a certificate that one of these has signed.
  std::string client_ca = {};
};

// The certificate as its files have it now. Not thread-safe.
class TlsContext {
 public:
  // An error names the file.
  static absl::StatusOr<std::unique_ptr<TlsContext>> Load(TlsFiles files);

  // Reads the files again if they have changed; true if they are served from
  // now on. On an error those that were read before are, for new connections
  // too; it is told once for each state of the files.
  absl::StatusOr<bool> Refresh();

  // A connection over `descriptor`, which is the caller's; null without memory.
  std::unique_ptr<Transport> Accept(int descriptor) const;

 private:
  // What tells a file from another in its place.
  struct Stamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t bytes = 0;
    int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  using Stamps = std::array<Stamp, 3>;

  explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}
  Stamps StampsNow() const;
  absl::StatusOr<std::shared_ptr<ssl_ctx_st>> Read() const;

  const TlsFiles files_;
  Stamps stamps_ = {};
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace deberta::server

#endif  // SERVER_NET_TLS_H_
