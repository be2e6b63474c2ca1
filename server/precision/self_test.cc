#include "server/precision/self_test.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/runtime/batch.h"
#include "server/precision/agreement.h"

namespace deberta::server {

absl::Status SelfTest(const model::Model& model, const TaskModel& task_model,
                      model::Workspace& workspace) {
  absl::StatusOr<Calibration> shortest =
      ShortestBuiltInInput(model.head(), task_model);
  if (!shortest.ok()) return absl::OkStatus();
  const model::RaggedBatch batch = FirstInputs(*shortest, /*max_tokens=*/1);
  model::BatchOutput output;
  if (absl::Status s = model.Forward(batch, workspace, &output); !s.ok())
    return s;
  model::BatchOutput again;
  if (absl::Status s = model.Forward(batch, workspace, &again); !s.ok())
    return s;
  std::vector<const std::vector<float>*> all = {&output.logits, &output.hidden};
  for (const std::vector<float>& logits : output.word_logits)
    all.push_back(&logits);
  for (const std::vector<float>* values : all) {
    const auto wrong =
        std::find_if(values->begin(), values->end(),
                     [](float value) { return !std::isfinite(value); });
    if (wrong == values->end()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "self-test: asked a built-in text in ",
        std::string(model::PrecisionName(model.precision().used)),
        ", the model answers with numbers that are not finite (",
        std::isnan(*wrong) ? "NaN" : "infinity",
        "): its weights hold such numbers, or are so large that they make "
        "them"));
  }
  if (again.logits != output.logits || again.hidden != output.hidden ||
      again.word_logits != output.word_logits) {
    return absl::FailedPreconditionError(
        "self-test: asked a built-in text twice, the model answers "
        "differently");
  }
  return absl::OkStatus();
}

}  // namespace deberta::server
