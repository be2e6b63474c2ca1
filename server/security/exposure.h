// Whether a port is open to callers whom nothing holds back.

#ifndef SERVER_SECURITY_EXPOSURE_H_
#define SERVER_SECURITY_EXPOSURE_H_

#include "server/base/address.h"

namespace deberta::server {

struct Exposure {
  Address address = {};
  bool tls = false;
  bool tokens = false;
};

// True for an address that others than this machine reach, without TLS or
// without tokens. A name but localhost counts as such.
inline bool IsExposed(const Exposure& exposure) {
  if (exposure.tls && exposure.tokens) return false;
  return !IsLocal(exposure.address);
}

}  // namespace deberta::server

#endif  // SERVER_SECURITY_EXPOSURE_H_
