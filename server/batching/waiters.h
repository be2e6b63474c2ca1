// Who still waits for the inputs of a batch that runs.

#ifndef SERVER_BATCHING_WAITERS_H_
#define SERVER_BATCHING_WAITERS_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/batching/job_queue.h"

namespace deberta::server {

class Waiters {
 public:
  // `batch` outlives this.
  explicit Waiters(const Batch& batch);

  // False once every job that has the input in it is cancelled or past its
  // deadline.
  bool WaitFor(size_t input, absl::Time now);

  // Why the entry's input was given up by WaitFor; OK if it was not.
  const absl::Status& given_up(size_t entry) const { return given_up_[entry]; }

 private:
  const Batch& batch_;
  std::vector<std::vector<size_t>> entries_;  // [inputs]
  std::vector<absl::Status> given_up_;        // [entries]
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_WAITERS_H_
