#include "server/security/token_bucket.h"

#include <algorithm>

namespace deberta::server {

absl::Duration TokenBucket::WaitFor(double amount, absl::Time now) {
  const MutexLock lock(&mutex_);
  const double missing = std::min(amount, bucket_.burst()) - bucket_.Level(now);
  if (missing <= 0) return absl::ZeroDuration();
  // Rounded up, so that who comes back then is let in.
  return absl::Seconds(missing / bucket_.per_second()) + absl::Microseconds(1);
}

void TokenBucket::Take(double amount, absl::Time now) {
  const MutexLock lock(&mutex_);
  bucket_.Owe(now, amount);
}

}  // namespace deberta::server
