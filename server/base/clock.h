// The clock of durations and deadlines, which no one sets.

#ifndef SERVER_BASE_CLOCK_H_
#define SERVER_BASE_CLOCK_H_

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace deberta::server {

// A time that only goes forward, at the pace of seconds. Such times compare
// with each other alone: they are no dates, and the wall clock has others.
inline absl::Time SteadyNow() {
  return absl::UnixEpoch() +
         absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// What SteadyNow() says when the wall clock says `deadline`, unless that is set
// meanwhile. An infinite one stays infinite.
inline absl::Time SteadyDeadline(absl::Time deadline) {
  return SteadyNow() + (deadline - absl::Now());
}

}  // namespace deberta::server

#endif  // SERVER_BASE_CLOCK_H_
