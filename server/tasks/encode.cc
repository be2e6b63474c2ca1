#include "server/tasks/encode.h"

#include <cmath>
#include <utility>

#include "server/tasks/request_checks.h"
#include "server/tasks/sequence_plan.h"

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
  absl::StatusOr<std::vector<SequencePlan>> plans = PlanTextInputs(
      *model.tokenizer, task.request_.inputs,
      {.policy = task.request_.length_policy, .max_tokens = model.max_tokens});
  if (!plans.ok()) return plans.status();
  for (const SequencePlan& plan : *plans) {
    const tokenizer::Encoding& encoding = plan.encodings[0];
    const size_t rows =
        task.request_.pooling == Pooling::kCls ? 1 : encoding.size();
    task.sequences_.push_back(
        ToSequence(encoding, AllRows(rows), Readout::kHiddenStates));
    task.coverage_.push_back(plan.coverage);
  }
  return task;
}

std::vector<Coverage> EncodeTask::coverage() const { return coverage_; }

absl::StatusOr<std::vector<EncodeResult>> EncodeTask::Finish(
    std::span<const SequenceOutput> outputs) const {
  if (absl::Status s = CheckOutputs(sequences_, outputs, std::nullopt);
      !s.ok()) {
    return s;
  }
  std::vector<EncodeResult> results;
  results.reserve(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    EncodeResult& result = results.emplace_back();
    if (request_.pooling == Pooling::kMean) {
      result.vectors.push_back(MeanOfRows(outputs[i]));
    } else {
      result.vectors = Rows(outputs[i]);
    }
    if (request_.normalize) {
      for (std::vector<float>& vector : result.vectors) Normalize(&vector);
    }
    if (request_.pooling == Pooling::kNone) {
      for (const int32_t id : sequences_[i].ids) {
        result.tokens.emplace_back(model_.tokenizer->IdToToken(id));
      }
    }
    result.coverage = coverage_[i];
  }
  return results;
}

}  // namespace deberta::server
