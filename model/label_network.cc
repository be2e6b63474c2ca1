#include "model/label_network.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "model/gliclass_network.h"
#include "model/gliner2_network.h"
#include "model/gliner_network.h"

namespace deberta::model {
namespace {

bool AllBelow(std::span<const uint32_t> tokens, uint32_t end) {
  return std::ranges::all_of(tokens,
                             [end](uint32_t token) { return token < end; });
}

bool AreRanges(std::span<const uint32_t> begins, std::span<const uint32_t> ends,
               uint32_t length) {
  if (begins.size() != ends.size()) return false;
  for (size_t i = 0; i < begins.size(); ++i) {
    if (begins[i] > ends[i] || ends[i] > length) return false;
  }
  return true;
}

// Ranges of which none is empty.
bool AreFullRanges(std::span<const uint32_t> begins,
                   std::span<const uint32_t> ends, uint32_t length) {
  return AreRanges(begins, ends, length) &&
         std::ranges::equal(begins, ends, std::ranges::less());
}

bool FitsClasses(const WordReading& reading, const LabelHead& head,
                 uint32_t length) {
  return reading.word_begins.size() == 1 &&
         AreFullRanges(reading.word_begins, reading.word_ends, length) &&
         (!head.averages_labels ||
          AreFullRanges(reading.labels, reading.label_ends, length));
}

bool FitsGroups(const WordReading& reading, uint32_t length) {
  size_t labels = 0;
  for (const LabelGroup& group : reading.groups) {
    if (group.prompt >= length) return false;
    labels += group.labels;
  }
  return labels == reading.labels.size();
}

bool Fits(const WordReading& reading, const LabelHead& head, uint32_t length) {
  if (!AreRanges(reading.word_begins, reading.word_ends, length) ||
      !AllBelow(reading.labels, length)) {
    return false;
  }
  switch (head.kind) {
    case LabelHeadKind::kSpans:
    case LabelHeadKind::kTokens:
      return true;
    case LabelHeadKind::kTokensAndSpans:
      return reading.thresholds.size() == reading.labels.size();
    case LabelHeadKind::kClasses:
      return FitsClasses(reading, head, length);
    case LabelHeadKind::kGroups:
      return FitsGroups(reading, length);
  }
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const LabelNetwork>> LabelNetwork::Load(
    const Weights& weights, WeightReader& reader) {
  const LabelConfig* config = reader.label_config();
  if (config == nullptr) return nullptr;
  if (const auto* gliner = std::get_if<GlinerWeights>(&weights.label_head)) {
    return GlinerNetwork::Load(std::get<GlinerConfig>(*config), *gliner,
                               reader);
  }
  if (const auto* classes = std::get_if<GliclassWeights>(&weights.label_head)) {
    return GliclassNetwork::Load(std::get<GliclassConfig>(*config), *classes,
                                 reader);
  }
  return Gliner2Network::Load(std::get<Gliner2Config>(*config),
                              std::get<Gliner2Weights>(weights.label_head),
                              reader);
}

ForwardOptions CollectLayers(const ForwardOptions& options, size_t floats,
                             std::vector<float>* layers) {
  ForwardOptions collecting = options;
  collecting.still_wanted = nullptr;
  collecting.observer = [layers, floats, observer = options.observer](
                            int64_t layer, std::span<const float> hidden) {
    if (observer) observer(layer, hidden);
    if (layer == 0) return;  // the embeddings
    std::ranges::copy(
        hidden, layers->begin() + (layer - 1) * static_cast<int64_t>(floats));
  };
  return collecting;
}

absl::Status CheckReadings(const RaggedBatch& batch, const LabelHead* head) {
  if (batch.readings.size() > batch.sequences()) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch: ", batch.readings.size(), " readings of ",
                     batch.sequences(), " sequences"));
  }
  for (size_t s = 0; s < batch.readings.size(); ++s) {
    if (batch.readings[s] == nullptr) continue;
    if (head == nullptr) {
      return absl::InvalidArgumentError(
          "batch: words and labels wanted of a model that reads none");
    }
    if (!Fits(*batch.readings[s], *head,
              batch.starts[s + 1] - batch.starts[s])) {
      return absl::InvalidArgumentError(
          absl::StrCat("batch: what is to be read of sequence ", s,
                       " is not within its tokens, or not as its head reads"));
    }
  }
  return absl::OkStatus();
}

}  // namespace deberta::model
