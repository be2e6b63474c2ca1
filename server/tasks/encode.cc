#include "server/tasks/encode.h"

#include <cmath>
#include <utility>

#include "server/tasks/shared/request_checks.h"

namespace deberta::server {
namespace {

using Pooling = EncodeRequest::Pooling;

// [rows, width] -> [width]
std::vector<float> MeanOfRows(const SequenceOutput& output) {
  const size_t rows = output.values.size() / output.width;
  std::vector<double> sums(output.width);
  for (size_t i = 0; i < output.values.size(); ++i) {
    sums[i % output.width] += static_cast<double>(output.values[i]);
  }
  std::vector<float> mean(output.width);
  for (size_t i = 0; i < mean.size(); ++i) {
    mean[i] = static_cast<float>(sums[i] / static_cast<double>(rows));
  }
  return mean;
}

// To L2 norm 1; a zero vector stays what it is.
void Normalize(std::vector<float>* vector) {
  double squares = 0;
  for (const float value : *vector) {
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  if (squares == 0) return;
  const double norm = std::sqrt(squares);
  for (float& value : *vector) {
    value = static_cast<float>(static_cast<double>(value) / norm);
  }
}

std::vector<std::vector<float>> Rows(const SequenceOutput& output) {
  std::vector<std::vector<float>> rows;
  for (auto row = output.values.begin(); row != output.values.end();
       row += static_cast<std::ptrdiff_t>(output.width)) {
    rows.emplace_back(row, row + static_cast<std::ptrdiff_t>(output.width));
  }
  return rows;
}

}  // namespace

absl::StatusOr<EncodeTask> EncodeTask::Create(Request request,
                                              const TaskModel& model) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNoWindows(request.length_policy, "Encode");
      !s.ok()) {
    return s;
  }
  EncodeTask task(std::move(request), model);
  if (absl::Status s = task.AddTextInputs(
          task.request().inputs, {.policy = task.request().length_policy,
                                  .max_tokens = model.max_tokens});
      !s.ok()) {
    return s;
  }
  if (absl::Status s = task.CheckAnswer(); !s.ok()) return s;
  return task;
}

EncodeTask::EncodeTask(Request request, const TaskModel& model)
    : RequestTask(std::move(request), model,
                  static_cast<size_t>(model.config->hidden_size)) {}

absl::Status EncodeTask::CheckAnswer() {
  const size_t vector_bytes = output_width() * sizeof(float) + kPieceBytes;
  for (size_t i = 0; i < inputs(); ++i) {
    const size_t vectors =
        request().pooling == Pooling::kNone ? coverage(i).tokens_used : 1;
    if (absl::Status s = AddToAnswer(vectors * vector_bytes, "inputs");
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

SequenceInput EncodeTask::Reading(const tokenizer::Encoding& encoding) const {
  const size_t rows = request().pooling == Pooling::kCls ? 1 : encoding.size();
  return ToSequence(encoding, AllRows(rows), Readout::kHiddenStates);
}

absl::Status EncodeTask::Take(const Part& part, SequenceOutput output) {
  Result result;
  if (request().pooling == Pooling::kMean) {
    result.vectors.push_back(MeanOfRows(output));
  } else {
    result.vectors = Rows(output);
  }
  if (request().normalize) {
    for (std::vector<float>& vector : result.vectors) Normalize(&vector);
  }
  if (request().pooling == Pooling::kNone) {
    for (const int32_t id : part.sequence.ids) {
      result.tokens.emplace_back(model().tokenizer->IdToToken(id));
    }
  }
  result.coverage = coverage(part.input);
  AddResult(std::move(result));
  return absl::OkStatus();
}

}  // namespace deberta::server
