#include "server/tasks/shared/word_plan.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

using Window = WordPlan::Window;

size_t TokensOf(std::span<const uint32_t> ends, Window window) {
  const size_t before = window.begin == 0 ? 0 : ends[window.begin - 1];
  return ends[window.end - 1] - before;
}

// The longest window from `begin` on; empty if not even one word fits.
Window LongestFrom(std::span<const uint32_t> ends, size_t begin,
                   const WordRule& rule) {
  const size_t before = begin == 0 ? 0 : ends[begin - 1];
  const size_t room =
      rule.max_tokens - std::min(rule.fixed_tokens, rule.max_tokens);
  size_t end = ends.size();
  if (rule.max_words > 0) end = std::min(end, begin + rule.max_words);
  const auto first_beyond = std::upper_bound(
      ends.begin() + static_cast<std::ptrdiff_t>(begin),
      ends.begin() + static_cast<std::ptrdiff_t>(end), before + room);
  return {begin, static_cast<size_t>(first_beyond - ends.begin())};
}

absl::Status TooManyTokens(size_t tokens, const WordRule& rule,
                           std::string_view field, const std::string& what) {
  return InputError(
      field, absl::StrCat(what, tokens,
                          " tokens with the labels and the special ones, the "
                          "limit is ",
                          rule.max_tokens));
}

// No word fits at `window`.
absl::Status NoRoom(std::span<const uint32_t> ends, Window window,
                    const WordRule& rule, std::string_view field) {
  if (rule.fixed_tokens >= rule.max_tokens) {
    return InputError(
        rule.labels_field,
        absl::StrCat("leave no room for a text: they and the special tokens "
                     "are ",
                     rule.fixed_tokens, " tokens, the limit is ",
                     rule.max_tokens));
  }
  return TooManyTokens(
      rule.fixed_tokens + TokensOf(ends, {window.begin, window.begin + 1}),
      rule, field, "has a word that takes ");
}

}  // namespace

absl::Status CheckWordCount(size_t words, const WordRule& rule,
                            std::string_view field) {
  if (rule.policy != LengthPolicy::kReject || rule.max_words == 0 ||
      words <= rule.max_words) {
    return absl::OkStatus();
  }
  return InputError(field, absl::StrCat("has ", words, " words, the limit is ",
                                        rule.max_words));
}

absl::StatusOr<WordPlan> PlanWords(std::span<const uint32_t> ends,
                                   const WordRule& rule,
                                   std::string_view field) {
  if (absl::Status s = CheckWordCount(ends.size(), rule, field); !s.ok()) {
    return s;
  }
  const bool windowed = rule.policy == LengthPolicy::kWindow;
  if (windowed && rule.max_words > 0 && rule.overlap >= rule.max_words) {
    return InputError(
        "stride",
        absl::StrCat("must be less than the ", rule.max_words,
                     " words that a window holds, got ", rule.overlap));
  }
  WordPlan plan;
  size_t begin = 0;
  while (true) {
    const Window window = LongestFrom(ends, begin, rule);
    if (window.begin == window.end) return NoRoom(ends, window, rule, field);
    plan.windows.push_back(window);
    plan.longest =
        std::max(plan.longest, rule.fixed_tokens + TokensOf(ends, window));
    plan.longest_words =
        std::max(plan.longest_words, window.end - window.begin);
    if (window.end == ends.size() || !windowed) break;
    if (window.end - begin <= rule.overlap) {
      return InputError(
          "stride",
          absl::StrCat("must be less than the ", window.end - begin,
                       " words that a window of long words holds, got ",
                       rule.overlap));
    }
    begin = window.end - rule.overlap;
  }
  const size_t total = rule.fixed_tokens + ends.back();
  plan.coverage = {.tokens_total = total,
                   .tokens_used = windowed ? total : plan.longest,
                   .windows = plan.windows.size(),
                   .truncated = plan.windows.back().end < ends.size()};
  if (plan.coverage.truncated && rule.policy == LengthPolicy::kReject) {
    return TooManyTokens(total, rule, field, "has ");
  }
  return plan;
}

}  // namespace deberta::server
