// Asks a hosted model what it must answer before it is served.

#ifndef SERVER_PROVE_H_
#define SERVER_PROVE_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/batching/scheduler.h"
#include "server/models/served_model.h"

namespace deberta::server {

// Runs the model's proofs through its queue of `scheduler`, as calls would be;
// this warms it up too. FailedPrecondition says which proof failed, what was
// expected and what was got; DeadlineExceeded if they are not answered within
// `limit`, each. Texts of proofs are not repeated.
absl::Status Prove(const ServedModel& model, Scheduler& scheduler,
                   absl::Duration limit);

}  // namespace deberta::server

#endif  // SERVER_PROVE_H_
