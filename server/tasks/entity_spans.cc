#include "server/tasks/entity_spans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "model/candidate_spans.h"

namespace deberta::server {
namespace {

using model::LabelHeadKind;

// Spans taken so far, none of which lies within another.
class FlatSpans {
 public:
  bool Clashes(const EntitySpan& span, bool multi_label) const {
    auto after = last_by_first_.upper_bound(span.last);
    if (after == last_by_first_.begin()) return false;
    const auto [first, last] = *std::prev(after);
    if (last < span.first) return false;
    const bool same = first == span.first && last == span.last;
    return !(same && multi_label);
  }
  void Add(const EntitySpan& span) {
    last_by_first_.emplace(span.first, span.last);
  }

 private:
  std::map<uint32_t, uint32_t> last_by_first_;
};

// Spans taken so far, none of which crosses another.
class NestedSpans {
 public:
  explicit NestedSpans(size_t words) : last_(words, 0), first_(words, kNone) {}

  bool Clashes(const EntitySpan& span, bool multi_label) const {
    if (taken_.contains(std::pair(span.first, span.last))) return !multi_label;
    for (uint32_t word = span.first; word <= span.last; ++word) {
      const bool begins_within = word > span.first && last_[word] > span.last;
      const bool ends_within = word < span.last && first_[word] < span.first;
      if (begins_within || ends_within) return true;
    }
    return false;
  }
  void Add(const EntitySpan& span) {
    taken_.insert(std::pair(span.first, span.last));
    last_[span.first] = std::max(last_[span.first], span.last);
    first_[span.last] = std::min(first_[span.last], span.first);
  }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  std::vector<uint32_t> last_;   // the greatest of those that begin at a word
  std::vector<uint32_t> first_;  // the least of those that end at a word
  absl::flat_hash_set<std::pair<uint32_t, uint32_t>> taken_;
};

template <typename Taken>
std::vector<EntitySpan> TakeGreedily(std::span<const EntitySpan> candidates,
                                     bool multi_label, Taken taken) {
  std::vector<EntitySpan> chosen;
  for (const EntitySpan& span : candidates) {
    if (taken.Clashes(span, multi_label)) continue;
    taken.Add(span);
    chosen.push_back(span);
  }
  return chosen;
}

// No logit below this scores above the threshold: a whole unit is more than
// the rounding of both sides of the sigmoid.
float LeastLogit(float threshold) {
  const double t = threshold;
  return static_cast<float>(std::log(t / (1 - t)) - 1);
}

absl::Status WrongSize(size_t got, size_t expected) {
  return absl::InternalError(absl::StrCat("the model's output has ", got,
                                          " values, expected ", expected));
}

std::vector<EntitySpan> TakeByRule(std::span<const EntitySpan> candidates,
                                   const OverlapRule& rule) {
  uint32_t words = 0;
  for (const EntitySpan& span : candidates) {
    words = std::max(words, span.last + 1);
  }
  return rule.nested
             ? TakeGreedily(candidates, rule.multi_label, NestedSpans(words))
             : TakeGreedily(candidates, rule.multi_label, FlatSpans());
}

}  // namespace

std::vector<EntitySpan> ChooseSpans(std::vector<EntitySpan> candidates,
                                    const OverlapRule& rule) {
  std::ranges::stable_sort(candidates, std::greater(), &EntitySpan::score);
  std::vector<EntitySpan> chosen;
  if (rule.labels_apart) {
    std::map<uint32_t, std::vector<EntitySpan>> by_label;
    for (const EntitySpan& span : candidates) {
      by_label[span.label].push_back(span);
    }
    for (const auto& [label, spans] : by_label) {
      const std::vector<EntitySpan> taken = TakeByRule(spans, rule);
      chosen.insert(chosen.end(), taken.begin(), taken.end());
    }
    std::ranges::stable_sort(chosen, std::greater(), &EntitySpan::score);
  } else {
    chosen = TakeByRule(candidates, rule);
  }
  std::ranges::stable_sort(chosen, std::less(), &EntitySpan::first);
  return chosen;
}

absl::Status SpanCandidates::Add(size_t begin, size_t words,
                                 std::span<const float> values, size_t added) {
  const auto wrong = std::ranges::find_if(
      values, [](float value) { return !std::isfinite(value); });
  if (wrong != values.end()) {
    return absl::InternalError(
        absl::StrCat("the model's output is not finite: it holds ",
                     std::isnan(*wrong) ? "NaN" : "infinity"));
  }
  const size_t rows = words * labels();
  switch (options_.kind) {
    case LabelHeadKind::kSpans:
      if (values.size() != rows * options_.max_span_words) {
        return WrongSize(values.size(), rows * options_.max_span_words);
      }
      return AddSpans(begin, words, added, values);
    case LabelHeadKind::kTokens:
      if (values.size() != rows * 3) return WrongSize(values.size(), rows * 3);
      return AddTokens(begin, words, values);
    case LabelHeadKind::kTokensAndSpans:
      if (values.size() < rows * 3) return WrongSize(values.size(), rows * 3);
      return AddListed(begin, words, values.subspan(rows * 3));
    default:
      return absl::InternalError("the head does not find entities");
  }
}

absl::Status SpanCandidates::AddSpans(size_t begin, size_t words, size_t added,
                                      std::span<const float> logits) {
  std::vector<float> least;
  for (const float threshold : options_.thresholds) {
    least.push_back(LeastLogit(threshold));
  }
  std::vector<float> scores(labels());
  const size_t own = words - std::min(added, words);
  for (size_t word = 0; word < own; ++word) {
    const size_t width = std::min(options_.max_span_words, words - word);
    for (size_t k = 0; k < width; ++k) {
      const std::span<const float> row = logits.subspan(
          (word * options_.max_span_words + k) * labels(), labels());
      const auto first = static_cast<uint32_t>(begin + word);
      const auto last =
          static_cast<uint32_t>(begin + std::min(word + k, own - 1));
      bool found = false;
      for (uint32_t label = 0; label < labels(); ++label) {
        if (row[label] < least[label]) continue;
        const float score = model::Score(row[label]);
        if (!Finds(score, label)) continue;
        found = true;
        spans_.push_back({first, last, label, score});
      }
      if (found && options_.keep_scores) {
        std::ranges::transform(row, scores.begin(), model::Score);
        full_ = full_ || !Keep(first, last, scores);
      }
      if (absl::Status s = CheckCount(); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

absl::Status SpanCandidates::AddTokens(size_t begin, size_t,
                                       std::span<const float> logits) {
  const size_t before = spans_.size();
  model::ForEachCandidateSpan(
      options_.kind, logits, options_.thresholds,
      [&](const model::CandidateSpan& found) {
        full_ = full_ || spans_.size() == kMost;
        if (full_) return;
        spans_.push_back({static_cast<uint32_t>(begin + found.first),
                          static_cast<uint32_t>(begin + found.last),
                          found.label, found.score});
      });
  if (options_.keep_scores) KeepTokenScores(begin, before, logits);
  return CheckCount();
}

void SpanCandidates::KeepTokenScores(size_t begin, size_t from,
                                     std::span<const float> logits) {
  std::vector<float> scores(logits.size());
  std::ranges::transform(logits, scores.begin(), model::Score);
  const auto score = [&](size_t word, size_t label, size_t column) {
    return scores[((word - begin) * labels() + label) * 3 + column];
  };
  std::vector<float> of_span(labels());
  absl::flat_hash_set<std::pair<uint32_t, uint32_t>> done;
  for (size_t i = from; i < spans_.size() && !full_; ++i) {
    const EntitySpan& span = spans_[i];
    if (!done.insert(std::pair(span.first, span.last)).second) continue;
    for (size_t label = 0; label < labels(); ++label) {
      of_span[label] =
          std::min(score(span.first, label, 0), score(span.last, label, 1));
      for (size_t word = span.first; word <= span.last; ++word) {
        of_span[label] = std::min(of_span[label], score(word, label, 2));
      }
    }
    full_ = !Keep(span.first, span.last, of_span);
  }
}

absl::Status SpanCandidates::AddListed(size_t begin, size_t words,
                                       std::span<const float> listed) {
  const size_t width = 2 + labels();
  if (listed.size() % width != 0) {
    return WrongSize(listed.size(), listed.size() / width * width);
  }
  std::vector<float> scores(labels());
  for (; !listed.empty(); listed = listed.subspan(width)) {
    if (!(listed[0] >= 0 && listed[0] <= listed[1] &&
          listed[1] < static_cast<float>(words))) {
      return absl::InternalError(
          absl::StrCat("the model's output has the span ", listed[0], " to ",
                       listed[1], " of ", words, " words"));
    }
    const auto first =
        static_cast<uint32_t>(begin) + static_cast<uint32_t>(listed[0]);
    const auto last =
        static_cast<uint32_t>(begin) + static_cast<uint32_t>(listed[1]);
    std::ranges::transform(listed.subspan(2, labels()), scores.begin(),
                           model::Score);
    for (uint32_t label = 0; label < labels(); ++label) {
      if (!(scores[label] > options_.thresholds[label])) continue;
      spans_.push_back({first, last, label, scores[label]});
    }
    if (options_.keep_scores) full_ = full_ || !Keep(first, last, scores);
    if (absl::Status s = CheckCount(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

bool SpanCandidates::Keep(uint32_t first, uint32_t last,
                          std::span<const float> scores) {
  const auto [row, is_new] =
      rows_.try_emplace(std::pair(first, last), scores_.size());
  if (is_new) {
    if (scores_.size() + scores.size() > kMost) return false;
    scores_.insert(scores_.end(), scores.begin(), scores.end());
    return true;
  }
  for (size_t label = 0; label < scores.size(); ++label) {
    float& kept = scores_[row->second + label];
    kept = std::max(kept, scores[label]);
  }
  return true;
}

absl::Status SpanCandidates::CheckCount() const {
  if (!full_ && spans_.size() <= kMost) return absl::OkStatus();
  return absl::OutOfRangeError("too many spans score above the threshold");
}

std::vector<EntitySpan> SpanCandidates::Take() {
  std::vector<EntitySpan> spans = std::exchange(spans_, {});
  const bool by_label = options_.kind == LabelHeadKind::kTokens;
  const auto place = [by_label](const EntitySpan& span) {
    return by_label ? std::tuple(span.first, span.label, span.last)
                    : std::tuple(span.first, span.last, span.label);
  };
  std::ranges::sort(spans, [&](const EntitySpan& a, const EntitySpan& b) {
    return std::tuple(place(a), b.score) < std::tuple(place(b), a.score);
  });
  // Of equal ones the first has the highest score.
  const auto rest = std::unique(spans.begin(), spans.end(),
                                [&](const EntitySpan& a, const EntitySpan& b) {
                                  return place(a) == place(b);
                                });
  spans.erase(rest, spans.end());
  return spans;
}

std::vector<float> SpanCandidates::Scores(const EntitySpan& span) const {
  const auto row = rows_.find(std::pair(span.first, span.last));
  if (row == rows_.end()) return {};
  const std::span<const float> scores = scores_;
  const std::span<const float> found = scores.subspan(row->second, labels());
  return {found.begin(), found.end()};
}

void SpanCandidates::ForgetScores() {
  rows_.clear();
  scores_.clear();
}

}  // namespace deberta::server
