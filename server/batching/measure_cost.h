// Measures how long a queue's model takes, by sequences made for it.

#ifndef SERVER_BATCHING_MEASURE_COST_H_
#define SERVER_BATCHING_MEASURE_COST_H_

#include <cstddef>

#include "server/batching/cost_model.h"
#include "server/batching/scheduler.h"

namespace deberta::server {

// Runs sequences of up to `max_tokens` tokens, for about a second at most on a
// machine where nothing else runs, and waits for them. The queue's other jobs
// run beside them. Predicts nothing (CostModel()) if they cannot be run.
CostModel MeasureCost(Scheduler& scheduler, size_t queue, size_t max_tokens);

}  // namespace deberta::server

#endif  // SERVER_BATCHING_MEASURE_COST_H_
