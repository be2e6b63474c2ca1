// From the logits of a head over words and labels to the entities of a text.
// Pure functions over words.

#ifndef SERVER_TASKS_ENTITY_SPANS_H_
#define SERVER_TASKS_ENTITY_SPANS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "model/checkpoint/label_head.h"

namespace deberta::server {

struct EntitySpan {
  uint32_t first = 0;  // word
  uint32_t last = 0;   // word, included
  uint32_t label = 0;
  float score = 0;
  friend bool operator==(const EntitySpan&, const EntitySpan&) = default;
};

struct OverlapRule {
  bool nested = false;       // spans may lie within each other
  bool multi_label = false;  // one span may have several labels
  // Spans of different labels never clash.
  bool labels_apart = false;
};

// Of spans in the order in which equal scores are to be taken, those that are
// left when the likeliest is taken again and again, unless it clashes with one
// taken; by first word, and by score where that is the same. Spans clash where
// they cross; where one lies within the other, unless `nested`; where they are
// the same, unless `multi_label`.
std::vector<EntitySpan> ChooseSpans(std::vector<EntitySpan> candidates,
                                    const OverlapRule& rule);

// The spans of one text that score above their label's threshold, gathered from
// the outputs of its windows.
class SpanCandidates {
 public:
  // Most spans, and most scores of labels, that are kept of one text.
  static constexpr size_t kMost = size_t{1} << 20;

  struct Options {
    model::LabelHeadKind kind = model::LabelHeadKind::kSpans;
    size_t max_span_words = 0;      // of kSpans
    std::vector<float> thresholds;  // [labels]
    // Keep the scores of all labels of each span.
    bool keep_scores = false;
    // A score at its threshold is above it.
    bool inclusive = false;
  };

  explicit SpanCandidates(Options options) : options_(std::move(options)) {}

  // Adds what the head gave of a window of `words` words, the first being
  // `begin` of the text. Internal if that is not [words] of the kind, or not
  // finite; OutOfRange if they become more than kMost.
  // Of kSpans the last `added` words are not the text's: a span that ends there
  // ends at the text's last word, and one that begins there is none.
  absl::Status Add(size_t begin, size_t words, std::span<const float> values,
                   size_t added = 0);

  // Each span and label once, with its highest score, in the order in which the
  // reference finds them. Empties this, but for the scores.
  std::vector<EntitySpan> Take();
  // By label, the highest in any window that had the span; empty unless kept.
  std::vector<float> Scores(const EntitySpan& span) const;
  void ForgetScores();

  // That are held, about.
  size_t bytes() const {
    return spans_.capacity() * sizeof(EntitySpan) +
           scores_.capacity() * sizeof(float) + rows_.size() * 32;
  }

 private:
  absl::Status AddSpans(size_t begin, size_t words, size_t added,
                        std::span<const float> logits);
  bool Finds(float score, uint32_t label) const {
    const float threshold = options_.thresholds[label];
    return score > threshold || (options_.inclusive && score == threshold);
  }
  absl::Status AddTokens(size_t begin, size_t words,
                         std::span<const float> logits);
  // Of [2 + labels]: first word, last word, logits.
  absl::Status AddListed(size_t begin, size_t words,
                         std::span<const float> listed);
  // Of the spans [from, ...): a label's score is the least of its start's, its
  // end's and its words'.
  void KeepTokenScores(size_t begin, size_t from,
                       std::span<const float> logits);
  // Keeps the scores of a span of the text; false if that is too much.
  bool Keep(uint32_t first, uint32_t last, std::span<const float> scores);
  absl::Status CheckCount() const;

  size_t labels() const { return options_.thresholds.size(); }

  Options options_;
  std::vector<EntitySpan> spans_;
  bool full_ = false;
  // Of the span of two words: where its scores begin.
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, size_t> rows_;
  std::vector<float> scores_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_ENTITY_SPANS_H_
