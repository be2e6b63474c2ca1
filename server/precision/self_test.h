// Whether a model answers at all, before it is served.

#ifndef SERVER_PRECISION_SELF_TEST_H_
#define SERVER_PRECISION_SELF_TEST_H_

#include "absl/status/status.h"
#include "model/model.h"
#include "model/runtime/workspace.h"
#include "server/precision/calibration.h"

namespace deberta::server {

// Asks `model` one short built-in input of its head twice, as requests would.
// FailedPrecondition if a value of the answer is not finite: of NaN no answer
// can be made, and of an infinite logit the reference's softmax makes NaN, so
// every call would fail; or if the two answers differ. OK if no built-in input
// fits what the model reads.
absl::Status SelfTest(const model::Model& model, const TaskModel& task_model,
                      model::Workspace& workspace);

}  // namespace deberta::server

#endif  // SERVER_PRECISION_SELF_TEST_H_
