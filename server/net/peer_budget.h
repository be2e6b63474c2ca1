// What the connections of one peer share.

#ifndef SERVER_NET_PEER_BUDGET_H_
#define SERVER_NET_PEER_BUDGET_H_

#include "absl/time/time.h"
#include "server/base/rate_bucket.h"
#include "server/net/connection_limits.h"

namespace deberta::server {

struct PeerBudget {
  explicit PeerBudget(const ConnectionLimits& limits)
      : resets(kConnections * limits.max_resets_per_second,
               2 * kConnections * limits.max_resets_per_second),
        calls(limits.max_calls_per_second, limits.max_calls_per_second / 20) {}

  // Whether it is as one that was never used.
  bool IsWhole(absl::Time now) const {
    return resets.IsFull(now) && calls.IsFull(now);
  }

  // In those of one connection.
  static constexpr double kConnections = 4;

  RateBucket resets;
  RateBucket calls;  // that begin: beyond, they are read later
};

}  // namespace deberta::server

#endif  // SERVER_NET_PEER_BUDGET_H_
