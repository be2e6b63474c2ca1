// So much a second, and so much at once.

#ifndef SERVER_NET_TOKEN_BUCKET_H_
#define SERVER_NET_TOKEN_BUCKET_H_

#include <algorithm>

#include "absl/time/time.h"

namespace deberta::server {

// Full at first. Not thread-safe.
class TokenBucket {
 public:
  TokenBucket(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  // Takes one; false where there is none.
  bool Take(absl::Time now) {
    if (now > filled_) {
      Add(absl::ToDoubleSeconds(now - filled_) * per_second_);
      filled_ = now;
    }
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

  void Add(double tokens) { tokens_ = std::min(burst_, tokens_ + tokens); }

 private:
  const double per_second_;
  const double burst_;
  double tokens_;
  absl::Time filled_ = absl::InfinitePast();
};

}  // namespace deberta::server

#endif  // SERVER_NET_TOKEN_BUCKET_H_
