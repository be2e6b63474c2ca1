// From start and end logits of a question's windows to answer spans (spec 3.8).
// Pure functions over token positions and code point spans.

#ifndef SERVER_TASKS_ANSWER_SPANS_H_
#define SERVER_TASKS_ANSWER_SPANS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "tokenizer/encoding/encoding.h"
#include "tokenizer/text/text_index.h"

namespace deberta::server {

// A window of the context beside the question.
struct AnswerWindow {
  const tokenizer::Encoding* encoding = nullptr;
  std::span<const float> logits = {};  // [tokens, 2]: start, end
};

struct AnswerSpan {
  tokenizer::Span span = {};  // of the context, as tokens or words have it
  double score = 0;
  bool no_answer = false;
};

struct AnswerRule {
  size_t top_k = 1;
  size_t max_answer_tokens = 15;
  // PIPELINE only.
  bool align_to_words = true;
  bool handle_impossible_answer = false;
  int32_t cls_id = 0;
  // The context is the first text, as where padding is on the left. The
  // reference's PIPELINE then takes every token for one of an answer; those of
  // the question answer with the context's word of the same number, or with
  // their own offsets.
  bool context_first = false;
  // SQUAD_V2 only.
  float null_threshold = 0;
};

// Cells (start, end) that PIPELINE looks at in each window.
size_t CandidatesPerWindow(const AnswerRule& rule);

// The question-answering pipeline's answers, best first: products of start and
// end probabilities, those of equal text (whatever the case) summed over all
// windows. Sums may exceed 1. Cells of score 0 are dropped.
class PipelineAnswers {
 public:
  // `context` outlives this.
  PipelineAnswers(const tokenizer::TextIndex* context, const AnswerRule& rule)
      : context_(context), rule_(rule) {}

  void Add(const AnswerWindow& window);
  std::vector<AnswerSpan> Best() &&;

 private:
  void AddCandidate(tokenizer::Span span, float score);

  const tokenizer::TextIndex* context_;
  AnswerRule rule_;
  std::vector<AnswerSpan> answers_;  // in the order found
  // By the hash of the answer's text in lower case, or the next free value.
  // Abseil's map is broken once it gets no memory.
  std::unordered_map<size_t, size_t> by_text_;
  double null_score_ = 1e6;
};

// The answers of the SQuAD 2 evaluation: "no answer" comes first iff its sum of
// logits (the least of the windows') exceeds that of the best answer by more
// than the threshold. Scores are the softmax over the 20 best sums of logits
// and that of "no answer".
class SquadV2Answers {
 public:
  explicit SquadV2Answers(const AnswerRule& rule) : rule_(rule) {}

  void Add(const AnswerWindow& window);
  // REQUIRES: a window was added.
  std::vector<AnswerSpan> Best() &&;

 private:
  AnswerRule rule_;
  std::vector<AnswerSpan> answers_;  // the best, by their sums
  std::optional<double> null_score_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_ANSWER_SPANS_H_
