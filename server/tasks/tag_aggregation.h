// From a label distribution for each token to labelled spans (spec 3.7). Pure
// functions over code point spans.

#ifndef SERVER_TASKS_TAG_AGGREGATION_H_
#define SERVER_TASKS_TAG_AGGREGATION_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tokenizer/encoding/encoding.h"

namespace deberta::server {

enum class Aggregation { kNone, kSimple, kFirst, kAverage, kMax };

struct TaggedToken {
  std::span<const float> scores = {};  // probabilities by label
  tokenizer::Span span = {};
  // Continues the word of the token before it.
  bool is_subword = false;
  uint32_t token_index = 0;
};

struct TaggedSpan {
  std::string label = {};
  float score = 0;
  tokenizer::Span span = {};
  uint32_t token_index = 0;  // of a single token
};

// kNone: one span a token. The others: tokens (kSimple), or words made of a
// token and the subwords after it (kFirst, kAverage, kMax), grouped by their
// label without its "B-" or "I-"; a "B-" starts a new group. `labels` is by
// index.
std::vector<TaggedSpan> AggregateTags(std::span<const TaggedToken> tokens,
                                      Aggregation aggregation,
                                      std::span<const std::string> labels);

}  // namespace deberta::server

#endif  // SERVER_TASKS_TAG_AGGREGATION_H_
