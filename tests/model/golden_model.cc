#include "tests/model/golden_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/model/golden_labels.h"

namespace deberta::model {
namespace {

// What a model gave and the reference expected, of all sequences.
struct Logits {
  std::vector<float> actual;
  std::vector<float> expected;
};

void AddLogits(std::span<const float> actual, std::span<const float> expected,
               Logits& logits) {
  logits.actual.insert(logits.actual.end(), actual.begin(), actual.end());
  logits.expected.insert(logits.expected.end(), expected.begin(),
                         expected.end());
}

absl::StatusOr<GoldenComparison> CompareLabels(const Model& model,
                                               const GoldenFile& golden,
                                               Workspace& workspace) {
  GoldenComparison comparison;
  Logits logits;
  for (const LabelSequence& sequence : ReadLabelSequences(golden)) {
    const auto actual = LabelLogits(model, sequence, workspace);
    if (!actual.ok()) return actual.status();
    AddLogits(WithoutPadding(*actual), sequence.logits, logits);
    ++comparison.sequences;
  }
  if (comparison.sequences == 0) {
    return absl::NotFoundError("golden.safetensors: no input_ids.0");
  }
  comparison.logits = DifferenceOfScale(logits.actual, logits.expected);
  return comparison;
}

absl::Status CompareSequence(const Model& model, const GoldenFile& golden,
                             const std::string& sequence, Workspace& workspace,
                             GoldenComparison& comparison, Logits& logits) {
  BatchBuilder builder(model.head());
  builder.Add(golden.ReadIds("input_ids." + sequence),
              golden.ReadIds("token_type_ids." + sequence));
  const std::vector<int32_t> rows = golden.ReadIds("logit_rows." + sequence);
  if (!rows.empty()) {
    builder.batch().logit_rows.assign(rows.begin(), rows.end());
  }
  const bool has_hidden =
      !golden.Read(absl::StrCat("hidden.", sequence, ".0")).empty();
  const auto compare_layer = [&](int64_t layer, std::span<const float> hidden) {
    if (!has_hidden) return;
    const std::string name = absl::StrCat("hidden.", sequence, ".", layer);
    const double difference = DifferenceOfScale(hidden, golden.Read(name));
    if (difference <= comparison.hidden) return;
    comparison.hidden = difference;
    comparison.hidden_tensor = name;
  };
  BatchOutput output;
  const absl::Status status = model.Forward(builder.batch(), workspace, &output,
                                            {.observer = compare_layer});
  if (!status.ok()) return status;
  const std::vector<float> expected = golden.Read("logits." + sequence);
  if (output.logits.size() != expected.size()) {
    return absl::InternalError(absl::StrCat(
        "logits.", sequence, ": the model gave ", output.logits.size(),
        " numbers, expected ", expected.size()));
  }
  AddLogits(output.logits, expected, logits);
  ++comparison.sequences;
  return absl::OkStatus();
}

}  // namespace

GoldenFile::GoldenFile(LoadedFile file, TensorMap tensors)
    : file_(std::move(file)), tensors_(std::move(tensors)) {}

absl::StatusOr<GoldenFile> GoldenFile::Open(const std::string& directory) {
  auto file = LoadedFile::Read(directory + "/golden.safetensors");
  if (!file.ok()) return file.status();
  auto contents = ParseSafetensors(file->bytes());
  if (!contents.ok()) return contents.status();
  return GoldenFile(*std::move(file), std::move(contents->tensors));
}

std::vector<float> GoldenFile::Read(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? std::vector<float>()
                                 : ReadFloats(found->second);
}

std::vector<int32_t> GoldenFile::ReadIds(const std::string& name) const {
  const std::vector<float> values = Read(name);
  return std::vector<int32_t>(values.begin(), values.end());
}

double DifferenceOfScale(std::span<const float> actual,
                         std::span<const float> expected) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  if (actual.size() != expected.size()) return kFar;
  double worst = 0;
  double scale = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(static_cast<double>(actual[i]) - expected[i]);
    if (!std::isfinite(error)) return kFar;
    worst = std::max(worst, error);
    scale = std::max(scale, std::abs(static_cast<double>(expected[i])));
  }
  return worst == 0 ? 0 : worst / scale;
}

void BatchBuilder::Add(std::span<const int32_t> ids,
                       std::span<const int32_t> types) {
  const auto start = static_cast<uint32_t>(batch_.tokens());
  batch_.ids.insert(batch_.ids.end(), ids.begin(), ids.end());
  batch_.type_ids.insert(batch_.type_ids.end(), types.begin(), types.end());
  batch_.starts.push_back(static_cast<uint32_t>(batch_.tokens()));
  if (head_ == Head::kNone) return;
  const bool first_only =
      head_ == Head::kSequenceClassification || head_ == Head::kMultipleChoice;
  const uint32_t end =
      first_only ? start + 1 : static_cast<uint32_t>(batch_.tokens());
  for (uint32_t row = start; row < end; ++row) {
    batch_.logit_rows.push_back(row);
  }
}

absl::StatusOr<GoldenComparison> CompareToGolden(const Model& model,
                                                 const GoldenFile& golden,
                                                 Workspace& workspace) {
  if (model.label_head() != nullptr) {
    return CompareLabels(model, golden, workspace);
  }
  GoldenComparison comparison;
  Logits logits;
  while (true) {
    const std::string sequence = absl::StrCat(comparison.sequences);
    if (golden.Read("input_ids." + sequence).empty()) break;
    const absl::Status status =
        CompareSequence(model, golden, sequence, workspace, comparison, logits);
    if (!status.ok()) return status;
  }
  if (comparison.sequences == 0) {
    return absl::NotFoundError("golden.safetensors: no input_ids.0");
  }
  comparison.logits = DifferenceOfScale(logits.actual, logits.expected);
  return comparison;
}

}  // namespace deberta::model
