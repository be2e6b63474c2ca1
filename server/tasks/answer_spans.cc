#include "server/tasks/answer_spans.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/hash/hash.h"
#include "server/tasks/shared/scores.h"
#include "tokenizer/normalization/normalizer.h"

namespace deberta::server {
namespace {

using tokenizer::Encoding;
using tokenizer::Span;

// What the reference sets the logits of forbidden positions to.
constexpr float kForbiddenLogit = -10000.0f;
constexpr size_t kSquadBest = 20;

// A candidate answer: tokens `start` to `end`, both included.
struct Cell {
  uint32_t start;
  uint32_t end;
  float score;
};

std::vector<float> Column(const AnswerWindow& window, size_t column) {
  std::vector<float> values(window.encoding->size());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = window.logits[2 * i + column];
  }
  return values;
}

// Which of the encoding's texts the context is.
int8_t ContextIn(const AnswerRule& rule) { return rule.context_first ? 0 : 1; }

// The context, and the question's or context's own "[CLS]" tokens; or all.
std::vector<bool> Allowed(const Encoding& encoding, const AnswerRule& rule) {
  std::vector<bool> allowed(encoding.size(), rule.context_first);
  if (rule.context_first) return allowed;
  for (size_t i = 0; i < allowed.size(); ++i) {
    allowed[i] = encoding.sequence_ids[i] == ContextIn(rule) ||
                 encoding.ids[i] == rule.cls_id;
  }
  return allowed;
}

std::vector<float> MaskedSoftmax(std::vector<float> logits,
                                 const std::vector<bool>& allowed) {
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!allowed[i]) logits[i] = kForbiddenLogit;
  }
  Softmax(logits);
  return logits;
}

// The `count` best cells of at most `max_tokens` tokens between allowed
// positions, without those of score 0; best first, then by start and end.
std::vector<Cell> BestCells(std::span<const float> start,
                            std::span<const float> end,
                            const std::vector<bool>& allowed, size_t max_tokens,
                            size_t count) {
  std::vector<Cell> cells;
  for (size_t i = 0; i < start.size(); ++i) {
    if (!allowed[i] || start[i] == 0) continue;
    const size_t stop = std::min(end.size() - i, max_tokens) + i;
    for (size_t j = i; j < stop; ++j) {
      const float score = allowed[j] ? start[i] * end[j] : 0;
      if (score > 0) {
        cells.push_back(
            {static_cast<uint32_t>(i), static_cast<uint32_t>(j), score});
      }
    }
  }
  count = std::min(count, cells.size());
  std::partial_sort(
      cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(count),
      cells.end(), [](const Cell& a, const Cell& b) {
        if (a.score != b.score) return a.score > b.score;
        return a.start != b.start ? a.start < b.start : a.end < b.end;
      });
  cells.resize(count);
  return cells;
}

// The tokens of a word of the context, as far as the window holds them.
struct WordTokens {
  size_t first;
  size_t last;
};
std::optional<WordTokens> FindWord(const Encoding& encoding, int8_t context,
                                   int32_t word) {
  std::optional<WordTokens> found;
  for (size_t i = 0; i < encoding.size(); ++i) {
    if (encoding.sequence_ids[i] != context || encoding.words[i] != word) {
      continue;
    }
    if (!found.has_value()) found = {i, i};
    found->last = i;
  }
  return found;
}

// The span of the cell's tokens, or of the whole words that they belong to. A
// word is looked for in the context by its number, whichever text the token is
// of; without both words the tokens' own spans count.
Span CellSpan(const Encoding& encoding, const Cell& cell,
              const AnswerRule& rule) {
  if (rule.align_to_words) {
    const int8_t context = ContextIn(rule);
    const auto first = FindWord(encoding, context, encoding.words[cell.start]);
    const auto last = FindWord(encoding, context, encoding.words[cell.end]);
    if (first.has_value() && last.has_value()) {
      return {encoding.offsets[first->first].start,
              encoding.offsets[last->last].end};
    }
  }
  return {encoding.offsets[cell.start].start, encoding.offsets[cell.end].end};
}

// Spans of the question may end after the context.
Span Within(const tokenizer::TextIndex& context, Span span) {
  return {std::min(span.start, context.code_points()),
          std::min(span.end, context.code_points())};
}

std::string Lowercase(std::string_view text) {
  const absl::StatusOr<tokenizer::Normalizer> lowercase =
      tokenizer::Normalizer::Create({tokenizer::Normalizer::Lowercase{}});
  return lowercase.ok() ? lowercase->Normalize(text, 0).text
                        : std::string(text);
}

// Best first; equal scores in the order found.
void SortByScore(std::vector<AnswerSpan>* answers) {
  std::stable_sort(answers->begin(), answers->end(),
                   [](const AnswerSpan& a, const AnswerSpan& b) {
                     return a.score > b.score;
                   });
}

void Truncate(size_t size, std::vector<AnswerSpan>* answers) {
  if (answers->size() > size) answers->resize(size);
}

// The text as slicing gives it: nothing where the span ends before it starts.
std::string_view TextOf(const tokenizer::TextIndex& context, Span span) {
  return span.start < span.end ? context.Text(span) : std::string_view();
}

// Candidates of one window with their sums of logits: every pair of the best
// starts and ends that is a span of the context.
void AddSquadCandidates(const AnswerWindow& window, const AnswerRule& rule,
                        std::vector<AnswerSpan>* candidates) {
  const Encoding& encoding = *window.encoding;
  const int8_t context = ContextIn(rule);
  const std::vector<float> start = Column(window, 0);
  const std::vector<float> end = Column(window, 1);
  for (const uint32_t i : TopIndices(start, kSquadBest)) {
    for (const uint32_t j : TopIndices(end, kSquadBest)) {
      if (encoding.sequence_ids[i] != context ||
          encoding.sequence_ids[j] != context || j < i ||
          j - i + 1 > rule.max_answer_tokens) {
        continue;
      }
      candidates->push_back(
          {.span = {encoding.offsets[i].start, encoding.offsets[j].end},
           .score = static_cast<double>(start[i] + end[j])});
    }
  }
}

// Puts what the rule chooses first; the others keep their order.
void PutChosenFirst(double null_score, float threshold,
                    std::vector<AnswerSpan>* answers) {
  const auto best = std::find_if(
      answers->begin(), answers->end(), [](const AnswerSpan& answer) {
        return !answer.no_answer && answer.span.start < answer.span.end;
      });
  const bool none = best == answers->end() ||
                    null_score - best->score > static_cast<double>(threshold);
  const auto chosen =
      none ? std::find_if(answers->begin(), answers->end(),
                          [](const AnswerSpan& a) { return a.no_answer; })
           : best;
  std::rotate(answers->begin(), chosen, chosen + 1);
}

}  // namespace

size_t CandidatesPerWindow(const AnswerRule& rule) {
  // Aligning to words makes some candidates one.
  return rule.align_to_words ? 2 * rule.top_k + 10 : rule.top_k;
}

void PipelineAnswers::Add(const AnswerWindow& window) {
  const Encoding& encoding = *window.encoding;
  const std::vector<bool> allowed = Allowed(encoding, rule_);
  std::vector<float> start = MaskedSoftmax(Column(window, 0), allowed);
  std::vector<float> end = MaskedSoftmax(Column(window, 1), allowed);
  null_score_ = std::min(null_score_, static_cast<double>(start[0] * end[0]));
  start[0] = end[0] = 0;
  for (const Cell& cell :
       BestCells(start, end, allowed, rule_.max_answer_tokens,
                 CandidatesPerWindow(rule_))) {
    // A "[CLS]" typed into the question is allowed, but is no answer.
    if (!rule_.context_first &&
        encoding.sequence_ids[cell.start] != ContextIn(rule_)) {
      continue;
    }
    AddCandidate(Within(*context_, CellSpan(encoding, cell, rule_)),
                 cell.score);
  }
}

void PipelineAnswers::AddCandidate(Span span, float score) {
  const std::string text = Lowercase(TextOf(*context_, span));
  for (size_t key = absl::HashOf(text);; ++key) {
    const auto [known, is_new] = by_text_.try_emplace(key, answers_.size());
    if (is_new) {
      answers_.push_back({.span = span});
    } else if (Lowercase(TextOf(*context_, answers_[known->second].span)) !=
               text) {
      continue;
    }
    answers_[known->second].score += static_cast<double>(score);
    return;
  }
}

std::vector<AnswerSpan> PipelineAnswers::Best() && {
  std::vector<AnswerSpan> answers = std::move(answers_);
  if (rule_.handle_impossible_answer) {
    answers.push_back({.score = null_score_, .no_answer = true});
  }
  SortByScore(&answers);
  Truncate(rule_.top_k, &answers);
  return answers;
}

void SquadV2Answers::Add(const AnswerWindow& window) {
  const double score = static_cast<double>(window.logits[0] + window.logits[1]);
  null_score_ = std::min(null_score_.value_or(score), score);
  AddSquadCandidates(window, rule_, &answers_);
  SortByScore(&answers_);
  Truncate(kSquadBest, &answers_);
}

std::vector<AnswerSpan> SquadV2Answers::Best() && {
  std::vector<AnswerSpan> answers = std::move(answers_);
  const AnswerSpan none = {.score = *null_score_, .no_answer = true};
  answers.push_back(none);
  SortByScore(&answers);
  Truncate(kSquadBest, &answers);
  if (std::none_of(answers.begin(), answers.end(),
                   [](const AnswerSpan& answer) { return answer.no_answer; })) {
    answers.push_back(none);
  }
  PutChosenFirst(none.score, rule_.null_threshold, &answers);
  std::vector<float> scores;
  for (const AnswerSpan& answer : answers) {
    scores.push_back(static_cast<float>(answer.score));
  }
  Softmax(scores);
  for (size_t i = 0; i < answers.size(); ++i) {
    answers[i].score = static_cast<double>(scores[i]);
  }
  Truncate(rule_.top_k, &answers);
  return answers;
}

}  // namespace deberta::server
