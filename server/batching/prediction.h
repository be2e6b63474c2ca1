// When a job that comes now would be computed, behind what waits already.

#ifndef SERVER_BATCHING_PREDICTION_H_
#define SERVER_BATCHING_PREDICTION_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/time/time.h"
#include "server/batching/job_queue.h"

namespace deberta::server {

// A job that asks to be let in.
struct Newcomer {
  int level = 0;  // LevelOf()
  // Its caller's, as CallerShares::TurnOf() says, and account, null if new.
  double turn = 0;
  const CallerShares::Account* account = nullptr;
  absl::Time deadline;
  double seconds = 0;  // of its whole call
};

// Machine seconds of what waits in the queues and goes before the newcomer's
// last sequence: all of better levels; of its caller's jobs those with earlier
// deadlines; of each other caller as much as makes it as well served as the
// newcomer's will be then. `number` differs from call to call.
double SecondsAhead(std::span<const JobQueue> queues, const Newcomer& newcomer,
                    absl::Time now, uint64_t number);

}  // namespace deberta::server

#endif  // SERVER_BATCHING_PREDICTION_H_
