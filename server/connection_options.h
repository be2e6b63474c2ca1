// What the flags say about connections: limits and TLS.

#ifndef SERVER_CONNECTION_OPTIONS_H_
#define SERVER_CONNECTION_OPTIONS_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/address.h"
#include "server/net/connection_limits.h"
#include "server/net/tls.h"

namespace deberta::server {

struct ConnectionOptions {
  std::optional<Address> health_listen = {};
  std::optional<TlsFiles> tls = {};
  ConnectionLimits limits = {};
  bool reflection = true;
  bool allow_compression = false;
  int max_metadata_bytes = 0;  // of a call
  // Infinite: never.
  absl::Duration max_idle = absl::InfiniteDuration();
  absl::Duration max_age = absl::InfiniteDuration();
  absl::Duration max_age_grace = absl::InfiniteDuration();
};

// InvalidArgument names the flag, what was expected and what was got.
absl::StatusOr<ConnectionOptions> ConnectionOptionsFromFlags();

}  // namespace deberta::server

#endif  // SERVER_CONNECTION_OPTIONS_H_
