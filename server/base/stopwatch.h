// Time spent, whatever the wall clock does.

#ifndef SERVER_BASE_STOPWATCH_H_
#define SERVER_BASE_STOPWATCH_H_

#include <chrono>

#include "absl/time/time.h"

namespace deberta::server {

// Runs from its construction.
class Stopwatch {
 public:
  absl::Duration elapsed() const {
    return absl::FromChrono(std::chrono::steady_clock::now() - start_);
  }

 private:
  const std::chrono::steady_clock::time_point start_ =
      std::chrono::steady_clock::now();
};

}  // namespace deberta::server

#endif  // SERVER_BASE_STOPWATCH_H_
