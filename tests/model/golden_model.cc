#include "tests/model/golden_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

void Note(double of_scale, const std::string& tensor,
          GoldenComparison::Worst& worst) {
  if (of_scale <= worst.of_scale) return;
  worst = {of_scale, tensor};
}

absl::Status CompareSequence(const Model& model, const GoldenFile& golden,
                             const std::string& sequence, Workspace& workspace,
                             GoldenComparison& comparison) {
  BatchBuilder builder(model.head());
  builder.Add(golden.ReadIds("input_ids." + sequence),
              golden.ReadIds("token_type_ids." + sequence));
  const std::vector<int32_t> rows = golden.ReadIds("logit_rows." + sequence);
  if (!rows.empty()) {
    builder.batch().logit_rows.assign(rows.begin(), rows.end());
  }
  BatchOutput output;
  const absl::Status status = model.Forward(
      builder.batch(), workspace, &output,
      [&](int64_t layer, std::span<const float> hidden) {
        const std::string name = absl::StrCat("hidden.", sequence, ".", layer);
        Note(DifferenceOfScale(hidden, golden.Read(name)), name,
             comparison.hidden);
      });
  const std::string name = "logits." + sequence;
  Note(DifferenceOfScale(output.logits, golden.Read(name)), name,
       comparison.logits);
  ++comparison.sequences;
  return status;
}

}  // namespace

GoldenFile::GoldenFile(MappedFile file, TensorMap tensors)
    : file_(std::move(file)), tensors_(std::move(tensors)) {}

absl::StatusOr<GoldenFile> GoldenFile::Open(const std::string& directory) {
  auto file = MappedFile::Open(directory + "/golden.safetensors");
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
  GoldenComparison comparison;
  while (true) {
    const std::string sequence = absl::StrCat(comparison.sequences);
    if (golden.Read("input_ids." + sequence).empty()) break;
    const absl::Status status =
        CompareSequence(model, golden, sequence, workspace, comparison);
    if (!status.ok()) return status;
  }
  if (comparison.sequences == 0) {
    return absl::NotFoundError("golden.safetensors: no input_ids.0");
  }
  return comparison;
}

}  // namespace deberta::model
