// So much a second, and so much at once.

#ifndef SERVER_BASE_RATE_BUCKET_H_
#define SERVER_BASE_RATE_BUCKET_H_

#include <algorithm>

#include "absl/time/time.h"

namespace deberta::server {

// Full at first. Not thread-safe.
class RateBucket {
 public:
  RateBucket(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  // Takes so many; false where there are fewer.
  bool Take(absl::Time now, double tokens = 1) {
    Fill(now);
    if (tokens_ < tokens) return false;
    tokens_ -= tokens;
    return true;
  }

  // Takes so many, though there be fewer: the rest is owed, and paid first.
  void Owe(absl::Time now, double tokens = 1) {
    Fill(now);
    tokens_ -= tokens;
  }
  // When nothing is owed any more; in the past where nothing is.
  absl::Time even_at() const {
    return tokens_ >= 0 ? absl::InfinitePast()
                        : filled_ + absl::Seconds(-tokens_ / per_second_);
  }

  // How many there are by now; below 0, so many are owed.
  double Level(absl::Time now) const {
    return std::min(burst_, tokens_ + Since(now));
  }
  bool IsFull(absl::Time now) const { return Level(now) >= burst_; }
  double burst() const { return burst_; }
  double per_second() const { return per_second_; }

  void Add(double tokens) { tokens_ = std::min(burst_, tokens_ + tokens); }

 private:
  // What has come since it was filled.
  double Since(absl::Time now) const {
    return now <= filled_ ? 0
                          : absl::ToDoubleSeconds(now - filled_) * per_second_;
  }
  void Fill(absl::Time now) {
    Add(Since(now));
    filled_ = std::max(filled_, now);
  }

  const double per_second_;
  const double burst_;
  double tokens_;
  absl::Time filled_ = absl::InfinitePast();
};

}  // namespace deberta::server

#endif  // SERVER_BASE_RATE_BUCKET_H_
