#include "tests/model/golden_labels.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

std::vector<uint32_t> ReadTokens(const GoldenFile& golden,
                                 const std::string& name) {
  const std::vector<int32_t> ids = golden.ReadIds(name);
  return {ids.begin(), ids.end()};
}

std::vector<LabelGroup> ReadGroups(const GoldenFile& golden,
                                   const std::string& n) {
  const std::vector<uint32_t> prompts = ReadTokens(golden, "group_prompts" + n);
  const std::vector<uint32_t> labels = ReadTokens(golden, "group_labels" + n);
  const std::vector<uint32_t> most = ReadTokens(golden, "group_instances" + n);
  std::vector<LabelGroup> groups;
  for (size_t i = 0; i < prompts.size(); ++i) {
    groups.push_back(
        {.prompt = prompts[i], .labels = labels[i], .most_instances = most[i]});
  }
  return groups;
}

}  // namespace

std::vector<LabelSequence> ReadLabelSequences(const GoldenFile& golden) {
  std::vector<LabelSequence> sequences;
  while (true) {
    const std::string n = absl::StrCat(".", sequences.size());
    std::vector<int32_t> ids = golden.ReadIds("input_ids" + n);
    if (ids.empty()) return sequences;
    WordReading reading = {.word_begins = ReadTokens(golden, "word_begins" + n),
                           .word_ends = ReadTokens(golden, "word_ends" + n),
                           .labels = ReadTokens(golden, "labels" + n),
                           .label_ends = ReadTokens(golden, "label_ends" + n),
                           .groups = ReadGroups(golden, n),
                           .thresholds = golden.Read("thresholds" + n)};
    std::vector<int32_t> types = golden.ReadIds("type_ids" + n);
    types.resize(ids.size());
    sequences.push_back(
        {.ids = std::move(ids),
         .types = std::move(types),
         .reading = std::make_shared<const WordReading>(std::move(reading)),
         .logits = golden.Read("logits" + n)});
  }
}

void AppendLabels(const LabelSequence& sequence, RaggedBatch* batch) {
  batch->ids.insert(batch->ids.end(), sequence.ids.begin(), sequence.ids.end());
  batch->type_ids.insert(batch->type_ids.end(), sequence.types.begin(),
                         sequence.types.end());
  batch->starts.push_back(static_cast<uint32_t>(batch->ids.size()));
  batch->readings.resize(batch->sequences());
  batch->readings.back() = sequence.reading;
}

absl::StatusOr<std::vector<float>> LabelLogits(const Model& model,
                                               const LabelSequence& sequence,
                                               Workspace& workspace) {
  RaggedBatch batch;
  AppendLabels(sequence, &batch);
  BatchOutput output;
  const absl::Status status = model.Forward(batch, workspace, &output);
  if (!status.ok()) return status;
  return std::move(output.word_logits.at(0));
}

std::vector<float> WithoutPadding(std::vector<float> logits) {
  std::ranges::replace(logits, std::numeric_limits<float>::lowest(), 0.0f);
  return logits;
}

}  // namespace deberta::model
