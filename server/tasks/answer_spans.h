// From start and end logits of a question's windows to answer spans (spec 3.8).
// Pure functions over token positions and code point spans.

#ifndef SERVER_TASKS_ANSWER_SPANS_H_
#define SERVER_TASKS_ANSWER_SPANS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/encoding.h"
#include "tokenizer/text_index.h"

namespace deberta::server {

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
  // SQUAD_V2 only.
  float null_threshold = 0;
};

// Cells (start, end) that PIPELINE looks at in each window.
size_t CandidatesPerWindow(const AnswerRule& rule);

// The question-answering pipeline's answers, best first: products of start and
// end probabilities, those of equal text (whatever the case) summed over all
// windows. Sums may exceed 1. Cells of score 0 are dropped.
std::vector<AnswerSpan> PipelineAnswers(std::span<const AnswerWindow> windows,
                                        const tokenizer::TextIndex& context,
                                        const AnswerRule& rule);

// The answers of the SQuAD 2 evaluation: "no answer" comes first iff its sum of
// logits (the least of the windows') exceeds that of the best answer by more
// than the threshold. Scores are the softmax over the 20 best sums of logits
// and that of "no answer".
std::vector<AnswerSpan> SquadV2Answers(std::span<const AnswerWindow> windows,
                                       const AnswerRule& rule);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ANSWER_SPANS_H_
