#include "server/tasks/tag_windows.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace deberta::server {
namespace {

int64_t Length(const TaggedSpan& span) {
  return static_cast<int64_t>(span.span.end) -
         static_cast<int64_t>(span.span.start);
}

bool IsBetter(const TaggedSpan& a, const TaggedSpan& b) {
  return Length(a) > Length(b) || (Length(a) == Length(b) && a.score > b.score);
}

}  // namespace

std::vector<TaggedSpan> CentralTags::Add(std::vector<TaggedSpan> window,
                                         size_t begin,
                                         std::optional<size_t> next_begin) {
  for (size_t i = 0; i < window.size(); ++i) {
    const size_t distance = std::min(i, window.size() - 1 - i);
    // Windows leave no token out.
    const size_t position = begin + i - given_;
    if (position >= chosen_.size()) {
      chosen_.push_back({std::move(window[i]), distance});
    } else if (distance > chosen_[position].distance) {
      chosen_[position] = {std::move(window[i]), distance};
    }
  }
  const size_t ready =
      next_begin.has_value() ? *next_begin - given_ : chosen_.size();
  const auto end = chosen_.begin() + static_cast<std::ptrdiff_t>(ready);
  std::vector<TaggedSpan> spans;
  spans.reserve(ready);
  for (auto token = chosen_.begin(); token != end; ++token) {
    spans.push_back(std::move(token->span));
  }
  chosen_.erase(chosen_.begin(), end);
  given_ = next_begin.value_or(0);
  return spans;
}

std::vector<TaggedSpan> SpanMerger::Add(std::vector<TaggedSpan> window,
                                        std::optional<uint32_t> next_start) {
  if (later_first_) std::swap(window, waiting_);
  std::move(window.begin(), window.end(), std::back_inserter(waiting_));
  std::stable_sort(waiting_.begin(), waiting_.end(),
                   [](const TaggedSpan& a, const TaggedSpan& b) {
                     return a.span.start < b.span.start;
                   });
  const auto ready = std::find_if(
      waiting_.begin(), waiting_.end(), [&](const TaggedSpan& span) {
        return next_start.has_value() && span.span.start >= *next_start;
      });
  std::vector<TaggedSpan> merged;
  for (auto span = waiting_.begin(); span != ready; ++span) {
    if (!kept_.has_value()) {
      kept_ = std::move(*span);
    } else if (span->span.start >= kept_->span.end) {
      merged.push_back(std::exchange(*kept_, std::move(*span)));
    } else if (IsBetter(*span, *kept_)) {
      kept_ = std::move(*span);
    }
  }
  waiting_.erase(waiting_.begin(), ready);
  if (!next_start.has_value() && kept_.has_value()) {
    merged.push_back(*std::exchange(kept_, std::nullopt));
  }
  return merged;
}

}  // namespace deberta::server
