#include "server/tasks/encode.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"

namespace deberta::server {
namespace {

using Pooling = EncodeRequest::Pooling;

std::vector<std::vector<float>> Rows(const SequenceOutput& output) {
  std::vector<std::vector<float>> rows;
  for (auto row = output.values.begin(); row != output.values.end();
       row += static_cast<std::ptrdiff_t>(output.width)) {
    rows.emplace_back(row, row + static_cast<std::ptrdiff_t>(output.width));
  }
  return rows;
}

// One layer of an output that has `layers` side by side.
SequenceOutput LayerOf(const SequenceOutput& output, size_t layer,
                       size_t layers) {
  SequenceOutput one = {.width = output.width / layers};
  one.values.reserve(output.values.size() / layers);
  for (size_t at = layer * one.width; at < output.values.size();
       at += output.width) {
    const auto from = output.values.begin() + static_cast<std::ptrdiff_t>(at);
    one.values.insert(one.values.end(), from,
                      from + static_cast<std::ptrdiff_t>(one.width));
  }
  return one;
}

// Counted from the embeddings, 0; `count` is the last.
absl::StatusOr<std::vector<uint32_t>> CountedLayers(
    std::span<const int32_t> layers, int64_t count) {
  std::vector<uint32_t> counted;
  for (size_t i = 0; i < layers.size(); ++i) {
    const int64_t layer =
        layers[i] < 0 ? count + 1 + layers[i] : int64_t{layers[i]};
    if (layer < 0 || layer > count || i > static_cast<size_t>(count)) {
      return InputError(
          absl::StrCat("layers[", i, "]"),
          absl::StrCat("expected at most ", count + 1, " layers, from ",
                       -count - 1, " to ", count, ", got ", layers[i]));
    }
    counted.push_back(static_cast<uint32_t>(layer));
  }
  return counted;
}

}  // namespace

absl::StatusOr<EncodeTask> EncodeTask::Create(Request request,
                                              const TaskModel& model) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNoWindows(request.length_policy, "Encode");
      !s.ok()) {
    return s;
  }
  if (request.pooling == Pooling::kModel && model.vectors == nullptr)
    request.pooling = Pooling::kCls;
  absl::StatusOr<std::vector<uint32_t>> layers =
      CountedLayers(request.layers, model.config->num_hidden_layers);
  if (!layers.ok()) return layers.status();
  EncodeTask task(std::move(request), *std::move(layers), model);
  if (absl::Status s = task.AddTextInputs(
          task.request().inputs, {.policy = task.request().length_policy,
                                  .max_tokens = model.max_tokens});
      !s.ok()) {
    return s;
  }
  if (absl::Status s = task.CheckAnswer(); !s.ok()) return s;
  return task;
}

EncodeTask::EncodeTask(Request request, std::vector<uint32_t> layers,
                       const TaskModel& model)
    : RequestTask(std::move(request), model,
                  static_cast<size_t>(model.config->hidden_size) *
                      std::max(size_t{1}, layers.size())),
      layers_(std::move(layers)) {}

absl::Status EncodeTask::CheckAnswer() {
  const auto hidden = static_cast<size_t>(model().config->hidden_size);
  const size_t width = request().pooling == Pooling::kModel
                           ? model().vectors->width(hidden)
                           : hidden;
  const size_t vector_bytes = (width * sizeof(float) + kPieceBytes) *
                              std::max(size_t{1}, layers_.size());
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

SequenceInput EncodeTask::Reading(size_t,
                                  const tokenizer::Encoding& encoding) const {
  const size_t rows = request().pooling == Pooling::kCls ? 1 : encoding.size();
  SequenceInput sequence =
      ToSequence(encoding, AllRows(rows), Readout::kHiddenStates);
  sequence.layers = layers_;
  return sequence;
}

std::vector<std::vector<float>> EncodeTask::VectorsOf(
    const SequenceOutput& output) const {
  std::vector<std::vector<float>> vectors;
  if (request().pooling == Pooling::kModel) {
    vectors = {TextVector(*model().vectors, output.values, output.width)};
  } else if (request().pooling == Pooling::kMean) {
    vectors = {Pool(output.values, output.width, TextPooling::kMean)};
  } else {
    vectors = Rows(output);
  }
  if (request().normalize) {
    for (std::vector<float>& vector : vectors) Normalize(&vector);
  }
  return vectors;
}

absl::Status EncodeTask::Take(const Part& part, SequenceOutput output) {
  Result result;
  const size_t layers = std::max(size_t{1}, layers_.size());
  for (size_t layer = 0; layer < layers; ++layer) {
    std::vector<std::vector<float>> vectors =
        VectorsOf(layers == 1 ? output : LayerOf(output, layer, layers));
    std::ranges::move(vectors, std::back_inserter(result.vectors));
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
