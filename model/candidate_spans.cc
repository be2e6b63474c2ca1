#include "model/candidate_spans.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace deberta::model {

float Score(float logit) {
  // exp() only of what is not positive.
  const float e = std::exp(-std::abs(logit));
  return logit < 0 ? e / (1 + e) : 1 / (1 + e);
}

void ForEachCandidateSpan(LabelHeadKind kind, std::span<const float> logits,
                          std::span<const float> thresholds,
                          absl::FunctionRef<void(const CandidateSpan&)> take) {
  const size_t labels = thresholds.size();
  if (labels == 0) return;
  const size_t words = logits.size() / (3 * labels);
  std::vector<float> scores(logits.size());
  std::ranges::transform(logits, scores.begin(), Score);
  const auto at = [&](size_t word, size_t label) {
    return &scores[(word * labels + label) * 3];
  };
  for (size_t first = 0; first < words; ++first) {
    for (size_t label = 0; label < labels; ++label) {
      const float threshold = thresholds[label];
      const float start = at(first, label)[0];
      if (!(start > threshold)) continue;
      float inside = 1;
      for (size_t last = first; last < words; ++last) {
        const float* word = at(last, label);
        if (kind == LabelHeadKind::kTokensAndSpans ? !(word[2] > threshold)
                                                   : word[2] < threshold) {
          break;
        }
        inside = std::min(inside, word[2]);
        if (!(word[1] > threshold)) continue;
        take({.first = static_cast<uint32_t>(first),
              .last = static_cast<uint32_t>(last),
              .label = static_cast<uint32_t>(label),
              .score = std::min({inside, start, word[1]})});
      }
    }
  }
}

}  // namespace deberta::model
