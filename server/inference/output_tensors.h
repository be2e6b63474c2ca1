// A task's answer as tensors of the Open Inference Protocol:
//
//   classify, zero_shot   label BYTES [N], score FP32 [N] (the best), scores
//                         FP32 [N, labels] (in the labels' order)
//   encode                embedding FP32 [N, size]
//   rerank                index INT32 [K], score FP32 [K], the best first
//   all                   result BYTES [N], each the JSON of the task's result

#ifndef SERVER_INFERENCE_OUTPUT_TENSORS_H_
#define SERVER_INFERENCE_OUTPUT_TENSORS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "deberta/v1/deberta.pb.h"
#include "inference/inference.pb.h"
#include "server/inference/tensors.h"
#include "server/tasks/shared/task_kind.h"

namespace deberta::server {

// The tensors that answers of the task may have, "result" last.
std::vector<std::string> OutputNames(TaskKind task);

// Of `answer`, a serialized response of the task's method: the tensors
// `wanted`, or without any all but "result", or that where it has no other. An
// InputError about "outputs[i]" for one that this answer has not: "scores"
// needs `all_labels` of each text, "embedding" one vector of each.
absl::StatusOr<std::vector<Tensor>> TensorsOf(
    TaskKind task, std::string_view answer,
    const std::vector<std::string>& wanted, bool all_labels);

// Adds the tensors that the model's task can answer.
void DescribeOutputs(TaskKind task, const v1::GetModelResponse& model,
                     inference::ModelMetadataResponse* metadata);

}  // namespace deberta::server

#endif  // SERVER_INFERENCE_OUTPUT_TENSORS_H_
