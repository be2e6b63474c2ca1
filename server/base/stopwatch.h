// Time spent, whatever the wall clock does.

#ifndef SERVER_BASE_STOPWATCH_H_
#define SERVER_BASE_STOPWATCH_H_

#include "absl/time/time.h"
#include "server/base/clock.h"

namespace deberta::server {

// Runs from its construction.
class Stopwatch {
 public:
  absl::Duration elapsed() const { return SteadyNow() - start_; }

 private:
  const absl::Time start_ = SteadyNow();
};

}  // namespace deberta::server

#endif  // SERVER_BASE_STOPWATCH_H_
