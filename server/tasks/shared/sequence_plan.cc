#include "server/tasks/shared/sequence_plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;

size_t CodePoints(const tokenizer::TokenSequence& text,
                  tokenizer::TokenRange range) {
  if (range.first == range.second) return 0;
  const uint32_t start = text.offsets[range.first].start;
  const uint32_t end = text.offsets[range.second - 1].end;
  return end > start ? end - start : 0;
}

// The most bytes, of `most`, that end where a word does: before white space,
// and after a letter or digit of ASCII, which nothing that follows changes. 0
// if there is no such place in their second half.
size_t WordsEnd(std::string_view text, size_t most) {
  for (size_t end = most; end > most / 2; --end) {
    if ((text[end] == ' ' || text[end] == '\n') &&
        absl::ascii_isalnum(static_cast<unsigned char>(text[end - 1]))) {
      return end;
    }
  }
  return 0;
}

}  // namespace

absl::Status CheckBeginning(const tokenizer::Tokenizer& tokenizer,
                            std::string_view text, const LengthRule& rule,
                            std::string_view field) {
  // Of words, so many times as many bytes as tokens are allowed, and twice as
  // many again where those were spaces: at most half of the text.
  constexpr size_t kBytesPerToken = 16;
  // An added token may hold spaces, so that the last words were to become one.
  constexpr size_t kSlack = 256;
  if (rule.policy != LengthPolicy::kReject) return absl::OkStatus();
  for (size_t most = kBytesPerToken * (rule.max_tokens + kSlack);
       most < text.size() / 2; most *= 4) {
    const size_t end = WordsEnd(text, most);
    if (end == 0) continue;
    const absl::StatusOr<TokenSequence> tokens =
        tokenizer.Tokenize(text.substr(0, end));
    if (!tokens.ok()) return absl::OkStatus();  // for the whole to say
    if (tokens->size() <= rule.max_tokens + kSlack) continue;
    return InputError(
        field, absl::StrCat("has more than ",
                            tokens->size() - kSlack +
                                tokenizer.template_tokens(/*is_pair=*/false),
                            " tokens with the special ones, the limit is ",
                            rule.max_tokens));
  }
  return absl::OkStatus();
}

using tokenizer::Kept;

absl::StatusOr<SequencePlan> SequencePlan::Create(
    const tokenizer::Tokenizer& tokenizer, const TokenSequence& a,
    const TokenSequence* b, const LengthRule& rule, std::string_view field) {
  SequencePlan plan(tokenizer, a, b);
  plan.range_a_ = {0, a.size()};
  if (b != nullptr) plan.range_b_ = {0, b->size()};
  const size_t special =
      tokenizer.template_tokens(b != nullptr) + rule.fixed_tokens;
  if (absl::Status s = rule.policy == LengthPolicy::kWindow
                           ? plan.PlanWindows(rule, special, field)
                           : plan.PlanWhole(rule, special, field);
      !s.ok()) {
    return s;
  }
  return plan;
}

absl::Status SequencePlan::PlanWhole(const LengthRule& rule, size_t special,
                                     std::string_view field) {
  const size_t length_a = a_->size();
  const size_t length_b = b_ == nullptr ? 0 : b_->size();
  const size_t total = length_a + length_b + special;
  longest_ = std::min(total, rule.max_tokens);
  coverage_ = {.tokens_total = total,
               .tokens_used = longest_,
               .windows = 1,
               .truncated = longest_ < total};
  if (!coverage_.truncated) return absl::OkStatus();
  const size_t excess = total - longest_;
  if (rule.policy == LengthPolicy::kReject || rule.max_tokens <= special ||
      (rule.keep_second && length_a <= excess)) {
    return InputError(
        field, absl::StrCat("has ", total, " tokens with the special ones, ",
                            "the limit is ", rule.max_tokens));
  }
  const tokenizer::Side side = tokenizer_->truncation_side();
  if (b_ == nullptr || rule.keep_second) {
    range_a_ = Kept(length_a, length_a - excess, side);
    return absl::OkStatus();
  }
  const auto [keep_a, keep_b] = tokenizer::TruncateLongestFirst(
      length_a, length_b, rule.max_tokens - special,
      tokenizer_->runs_in_python());
  range_a_ = Kept(length_a, keep_a, side);
  range_b_ = Kept(length_b, keep_b, side);
  return absl::OkStatus();
}

absl::Status SequencePlan::PlanWindows(const LengthRule& rule, size_t special,
                                       std::string_view field) {
  windowed_ = true;
  windows_over_a_ = b_ == nullptr || rule.keep_second;
  const TokenSequence& windowed = windows_over_a_ ? *a_ : *b_;
  const TokenSequence* whole = windows_over_a_ ? b_ : a_;
  const size_t fixed = special + (whole == nullptr ? 0 : whole->size());
  if (fixed >= rule.max_tokens) {
    return InputError(
        field,
        absl::StrCat("leaves no room for a window: the special tokens and the ",
                     rule.fixed_tokens > 0 ? "labels"
                     : windows_over_a_     ? "second text"
                                           : "first text",
                     ", which are whole in each, are ", fixed,
                     " tokens, the limit is ", rule.max_tokens));
  }
  const size_t room = rule.max_tokens - fixed;
  if (rule.overlap >= room) {
    return InputError("stride",
                      absl::StrCat("must be less than the ", room,
                                   " tokens of text that a window holds, got ",
                                   rule.overlap));
  }
  windows_ = {.length = windowed.size(),
              .room = room,
              .overlap = rule.overlap,
              .side = tokenizer_->truncation_side()};
  longest_ = fixed + std::min(room, windowed.size());
  const size_t total = fixed + windowed.size();
  coverage_ = {.tokens_total = total,
               .tokens_used = total,
               .windows = windows_.count(),
               .truncated = false};
  return absl::OkStatus();
}

SequencePlan::Ranges SequencePlan::RangesOf(size_t index) const {
  Ranges ranges = {.a = range_a_, .b = range_b_};
  if (windowed_) (windows_over_a_ ? ranges.a : ranges.b) = windows_.at(index);
  return ranges;
}

size_t SequencePlan::longest_text() const {
  size_t longest = 0;
  for (size_t i = 0; i < size(); ++i) {
    const auto [a, b] = RangesOf(i);
    longest = std::max(longest, CodePoints(*a_, a));
    if (b_ != nullptr) longest = std::max(longest, CodePoints(*b_, b));
  }
  return longest;
}

tokenizer::Encoding SequencePlan::Encode(size_t index) const {
  const auto [a, b] = RangesOf(index);
  const TokenSequence first = tokenizer::Slice(*a_, a.first, a.second);
  if (b_ == nullptr) return tokenizer_->Assemble(first, nullptr);
  const TokenSequence second = tokenizer::Slice(*b_, b.first, b.second);
  return tokenizer_->Assemble(first, &second);
}

SequenceInput ToSequence(const tokenizer::Encoding& encoding,
                         std::vector<uint32_t> rows, Readout readout) {
  return {.ids = encoding.ids,
          .type_ids = encoding.type_ids,
          .rows = std::move(rows),
          .readout = readout};
}

std::vector<uint32_t> AllRows(size_t count) {
  std::vector<uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

}  // namespace deberta::server
