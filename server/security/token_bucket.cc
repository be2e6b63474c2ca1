#include "server/security/token_bucket.h"

#include <algorithm>

namespace deberta::server {

void TokenBucket::Fill(absl::Time now) {
  // The first call finds it full already.
  if (filled_ != absl::InfinitePast() && now > filled_) {
    level_ = std::min(
        rate_.burst,
        level_ + rate_.per_second * absl::ToDoubleSeconds(now - filled_));
  }
  filled_ = std::max(filled_, now);
}

absl::Duration TokenBucket::WaitFor(double amount, absl::Time now) {
  const MutexLock lock(&mutex_);
  Fill(now);
  const double missing = std::min(amount, rate_.burst) - level_;
  if (missing <= 0) return absl::ZeroDuration();
  // Rounded up, so that who comes back then is let in.
  return absl::Seconds(missing / rate_.per_second) + absl::Microseconds(1);
}

void TokenBucket::Take(double amount, absl::Time now) {
  const MutexLock lock(&mutex_);
  Fill(now);
  level_ -= amount;
}

}  // namespace deberta::server
