// From the logits of GLiNER's token models to the spans that they propose.

#ifndef MODEL_CANDIDATE_SPANS_H_
#define MODEL_CANDIDATE_SPANS_H_

#include <cstdint>
#include <span>

#include "absl/functional/function_ref.h"
#include "model/checkpoint/label_head.h"

namespace deberta::model {

// The sigmoid, without overflow on either side.
float Score(float logit);

struct CandidateSpan {
  uint32_t first = 0;  // word
  uint32_t last = 0;   // word, included
  uint32_t label = 0;
  // The least of its start's, its end's and its words' scores.
  float score = 0;
};

// Calls `take` for each span of each label whose start and end score above the
// label's threshold, and every word of which scores at least as much as inside
// (kTokensAndSpans: more), in the order of first word, label, last word.
// `logits` [words][labels][3], as LabelHeadKind::kTokens has them; `thresholds`
// [labels]. Takes words^2 * labels steps at worst.
void ForEachCandidateSpan(LabelHeadKind kind, std::span<const float> logits,
                          std::span<const float> thresholds,
                          absl::FunctionRef<void(const CandidateSpan&)> take);

}  // namespace deberta::model

#endif  // MODEL_CANDIDATE_SPANS_H_
