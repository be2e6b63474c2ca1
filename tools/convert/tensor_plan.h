// What each tensor of a checkpoint is called where transformers is to load it.

#ifndef TOOLS_CONVERT_TENSOR_PLAN_H_
#define TOOLS_CONVERT_TENSOR_PLAN_H_

#include <string>
#include <vector>

#include "model/checkpoint/checkpoint.h"
#include "model/checkpoint/tensor.h"

namespace deberta::tools {

struct PlannedTensor {
  std::string source;  // its name in the checkpoint's files
  std::string target;
  std::string rule;  // why they differ; "" where they do not
};

struct TensorPlan {
  model::TensorMap tensors;  // by target name
  std::vector<PlannedTensor> names;
  model::NameMap skipped;  // why, by source name
};

// Beside a head the encoder's names begin with `deberta.`, as those of the
// classes DebertaFor... and DebertaV2For... do; without one they do not. Heads
// keep their names, and a model that reads the caller's labels keeps them all,
// as its package has no others. Tensors that hold no floating-point numbers are
// left out, and so are a tied decoder's copies of the embeddings and the bias.
TensorPlan PlanTensors(const model::Checkpoint& checkpoint);

}  // namespace deberta::tools

#endif  // TOOLS_CONVERT_TENSOR_PLAN_H_
