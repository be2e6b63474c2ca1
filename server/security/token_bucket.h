// How much a caller may spend: a bucket that fills at a steady rate.
//
// Its time is handed in; it only goes forward. Thread-safe.

#ifndef SERVER_SECURITY_TOKEN_BUCKET_H_
#define SERVER_SECURITY_TOKEN_BUCKET_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/base/rate_bucket.h"

namespace deberta::server {

struct Rate {
  double per_second = 0;  // > 0
  double burst = 0;       // > 0: what the bucket holds

  bool operator==(const Rate&) const = default;
};

class TokenBucket {
 public:
  // Full. REQUIRES: both numbers of `rate` are positive and finite.
  explicit TokenBucket(const Rate& rate)
      : bucket_(rate.per_second, rate.burst) {}

  // How long until the bucket holds `amount`; zero if it does now. An amount
  // of more than the burst counts as the burst.
  absl::Duration WaitFor(double amount, absl::Time now);
  // Takes `amount`, though there be less: then the bucket is in debt, and what
  // comes waits until that is paid.
  void Take(double amount, absl::Time now);

 private:
  Mutex mutex_;
  RateBucket bucket_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace deberta::server

#endif  // SERVER_SECURITY_TOKEN_BUCKET_H_
