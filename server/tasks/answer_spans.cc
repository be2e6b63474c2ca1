#include "server/tasks/answer_spans.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "server/tasks/scores.h"
#include "tokenizer/normalizer.h"

namespace deberta::server {
namespace {

using tokenizer::Encoding;
using tokenizer::Span;

constexpr int8_t kContext = 1;
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

// The context, and the question's or context's own "[CLS]" tokens.
std::vector<bool> Allowed(const Encoding& encoding, int32_t cls_id) {
  std::vector<bool> allowed(encoding.size());
  for (size_t i = 0; i < allowed.size(); ++i) {
    allowed[i] =
        encoding.sequence_ids[i] == kContext || encoding.ids[i] == cls_id;
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

// The span of the cell's tokens, or of the whole words they belong to as far as
// the window holds them.
Span CellSpan(const Encoding& encoding, const Cell& cell, bool align_to_words) {
  size_t first = cell.start;
  size_t last = cell.end;
  const auto same_word = [&](size_t a, size_t b) {
    return encoding.sequence_ids[a] == encoding.sequence_ids[b] &&
           encoding.words[a] == encoding.words[b];
  };
  if (align_to_words) {
    while (first > 0 && same_word(first - 1, first)) --first;
    while (last + 1 < encoding.size() && same_word(last + 1, last)) ++last;
  }
  return {encoding.offsets[first].start, encoding.offsets[last].end};
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
void AddSquadCandidates(const AnswerWindow& window, size_t max_tokens,
                        std::vector<AnswerSpan>* candidates) {
  const Encoding& encoding = *window.encoding;
  const std::vector<float> start = Column(window, 0);
  const std::vector<float> end = Column(window, 1);
  for (const uint32_t i : TopIndices(start, kSquadBest)) {
    for (const uint32_t j : TopIndices(end, kSquadBest)) {
      if (encoding.sequence_ids[i] != kContext ||
          encoding.sequence_ids[j] != kContext || j < i ||
          j - i + 1 > max_tokens) {
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

std::vector<AnswerSpan> PipelineAnswers(std::span<const AnswerWindow> windows,
                                        const tokenizer::TextIndex& context,
                                        const AnswerRule& rule) {
  std::vector<AnswerSpan> answers;
  absl::flat_hash_map<std::string, size_t> by_text;
  double null_score = 1e6;
  for (const AnswerWindow& window : windows) {
    const Encoding& encoding = *window.encoding;
    const std::vector<bool> allowed = Allowed(encoding, rule.cls_id);
    std::vector<float> start = MaskedSoftmax(Column(window, 0), allowed);
    std::vector<float> end = MaskedSoftmax(Column(window, 1), allowed);
    null_score = std::min(null_score, static_cast<double>(start[0] * end[0]));
    start[0] = end[0] = 0;
    for (const Cell& cell :
         BestCells(start, end, allowed, rule.max_answer_tokens,
                   CandidatesPerWindow(rule))) {
      // A "[CLS]" typed into the question is allowed, but is no answer.
      if (encoding.sequence_ids[cell.start] != kContext) continue;
      const Span span = CellSpan(encoding, cell, rule.align_to_words);
      const auto [known, is_new] =
          by_text.try_emplace(Lowercase(TextOf(context, span)), answers.size());
      if (is_new) answers.push_back({.span = span});
      answers[known->second].score += static_cast<double>(cell.score);
    }
  }
  if (rule.handle_impossible_answer) {
    answers.push_back({.score = null_score, .no_answer = true});
  }
  SortByScore(&answers);
  Truncate(rule.top_k, &answers);
  return answers;
}

std::vector<AnswerSpan> SquadV2Answers(std::span<const AnswerWindow> windows,
                                       const AnswerRule& rule) {
  std::vector<AnswerSpan> answers;
  AnswerSpan none{.no_answer = true};
  for (size_t w = 0; w < windows.size(); ++w) {
    const double score =
        static_cast<double>(windows[w].logits[0] + windows[w].logits[1]);
    none.score = w == 0 ? score : std::min(none.score, score);
    AddSquadCandidates(windows[w], rule.max_answer_tokens, &answers);
  }
  answers.push_back(none);
  SortByScore(&answers);
  Truncate(kSquadBest, &answers);
  if (std::none_of(answers.begin(), answers.end(),
                   [](const AnswerSpan& answer) { return answer.no_answer; })) {
    answers.push_back(none);
  }
  PutChosenFirst(none.score, rule.null_threshold, &answers);
  std::vector<float> scores;
  for (const AnswerSpan& answer : answers) {
    scores.push_back(static_cast<float>(answer.score));
  }
  Softmax(scores);
  for (size_t i = 0; i < answers.size(); ++i) {
    answers[i].score = static_cast<double>(scores[i]);
  }
  Truncate(rule.top_k, &answers);
  return answers;
}

}  // namespace deberta::server
