#include "server/tasks/sequence_plan.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/request_checks.h"
#include "tokenizer/truncation.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;

SequencePlan OneSequence(tokenizer::Encoding encoding, size_t total) {
  SequencePlan plan;
  plan.coverage = {.tokens_total = total,
                   .tokens_used = encoding.size(),
                   .windows = 1,
                   .truncated = encoding.size() < total};
  plan.begins = {0};
  plan.encodings.push_back(std::move(encoding));
  return plan;
}

tokenizer::Encoding AssembleTruncated(const tokenizer::Tokenizer& tokenizer,
                                      const TokenSequence& a,
                                      const TokenSequence* b, size_t room) {
  if (b == nullptr) {
    return tokenizer.Assemble(tokenizer::Slice(a, 0, std::min(a.size(), room)),
                              nullptr);
  }
  const auto [length_a, length_b] =
      tokenizer::TruncateLongestFirst(a.size(), b->size(), room);
  const TokenSequence cut_b = tokenizer::Slice(*b, 0, length_b);
  return tokenizer.Assemble(tokenizer::Slice(a, 0, length_a), &cut_b);
}

// Tokens of all windows over `length` tokens: each has `fixed` tokens of its
// own, and each but the first repeats `overlap`.
size_t WindowedTokens(size_t length, size_t room, size_t overlap,
                      size_t fixed) {
  const size_t step = room - overlap;
  const size_t windows =
      length <= room ? 1 : (length - room + step - 1) / step + 1;
  return length + windows * fixed + (windows - 1) * overlap;
}

}  // namespace

absl::StatusOr<SequencePlan> SequencePlanner::Plan(const TokenSequence& a,
                                                   const TokenSequence* b,
                                                   const LengthRule& rule,
                                                   std::string_view field) {
  if (rule.policy == LengthPolicy::kWindow) {
    return PlanWindows(a, b, rule, field);
  }
  const size_t special = tokenizer_.template_tokens(b != nullptr);
  const size_t total = a.size() + (b == nullptr ? 0 : b->size()) + special;
  if (total <= rule.max_tokens) {
    return OneSequence(tokenizer_.Assemble(a, b), total);
  }
  const size_t excess = total - rule.max_tokens;
  if (rule.policy == LengthPolicy::kReject || rule.max_tokens <= special ||
      (rule.keep_second && a.size() <= excess)) {
    return InputError(
        field, absl::StrCat("has ", total, " tokens with the special ones, ",
                            "the limit is ", rule.max_tokens));
  }
  if (rule.keep_second) {
    return OneSequence(
        tokenizer_.Assemble(tokenizer::Slice(a, 0, a.size() - excess), b),
        total);
  }
  return OneSequence(
      AssembleTruncated(tokenizer_, a, b, rule.max_tokens - special), total);
}

absl::Status SequencePlanner::Repeat(size_t tokens, std::string_view field) {
  if (tokens > kMaxRepeatedTokens - repeated_tokens_) {
    return InputError(field, absl::StrCat("takes ", tokens,
                                          " tokens of windows and pairs; "
                                          "all of a request may hold ",
                                          kMaxRepeatedTokens));
  }
  repeated_tokens_ += tokens;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SequencePlan>> SequencePlanner::PlanPairs(
    const TokenSequence& a, std::span<const TokenSequence> seconds,
    const LengthRule& rule, std::string_view field) {
  std::vector<SequencePlan> plans;
  plans.reserve(seconds.size());
  for (const TokenSequence& second : seconds) {
    absl::StatusOr<SequencePlan> plan = Plan(a, &second, rule, field);
    if (!plan.ok()) return plan.status();
    if (rule.policy != LengthPolicy::kWindow) {
      if (absl::Status s = Repeat(plan->coverage.tokens_used, field); !s.ok()) {
        return s;
      }
    }
    plans.push_back(*std::move(plan));
  }
  return plans;
}

absl::StatusOr<SequencePlan> SequencePlanner::PlanWindows(
    const TokenSequence& a, const TokenSequence* b, const LengthRule& rule,
    std::string_view field) {
  const bool first = b == nullptr || rule.keep_second;
  const TokenSequence& windowed = first ? a : *b;
  const size_t whole = b == nullptr ? 0 : first ? b->size() : a.size();
  const size_t fixed = tokenizer_.template_tokens(b != nullptr) + whole;
  if (fixed >= rule.max_tokens) {
    return InputError(
        field,
        absl::StrCat("leaves no room for a window: ", fixed,
                     " tokens are in each, the limit is ", rule.max_tokens));
  }
  const size_t room = rule.max_tokens - fixed;
  if (rule.overlap >= room) {
    return InputError("stride",
                      absl::StrCat("must be less than the ", room,
                                   " tokens of text that a window holds, got ",
                                   rule.overlap));
  }
  const size_t tokens =
      WindowedTokens(windowed.size(), room, rule.overlap, fixed);
  if (absl::Status s = Repeat(tokens, field); !s.ok()) return s;
  SequencePlan plan;
  for (const auto& [begin, end] :
       tokenizer::Windows(windowed.size(), room, rule.overlap)) {
    const TokenSequence window = tokenizer::Slice(windowed, begin, end);
    plan.encodings.push_back(first ? tokenizer_.Assemble(window, b)
                                   : tokenizer_.Assemble(a, &window));
    plan.begins.push_back(begin);
  }
  const size_t total = fixed + windowed.size();
  plan.coverage = {.tokens_total = total,
                   .tokens_used = total,
                   .windows = plan.encodings.size(),
                   .truncated = false};
  return plan;
}

absl::StatusOr<std::vector<SequencePlan>> PlanTextInputs(
    const tokenizer::Tokenizer& tokenizer, std::span<const TextInput> inputs,
    const LengthRule& rule) {
  SequencePlanner planner(tokenizer);
  std::vector<SequencePlan> plans;
  plans.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (absl::Status s = CheckNoChoices(inputs[i], i); !s.ok()) return s;
    absl::StatusOr<TokenSequence> a =
        TokenizeField(tokenizer, inputs[i].text, InputField(i, "text"));
    if (!a.ok()) return a.status();
    TokenSequence b;
    const bool is_pair = !inputs[i].text_pair.empty();
    if (is_pair) {
      absl::StatusOr<TokenSequence> pair = TokenizeField(
          tokenizer, inputs[i].text_pair, InputField(i, "text_pair"));
      if (!pair.ok()) return pair.status();
      b = *std::move(pair);
    }
    absl::StatusOr<SequencePlan> plan =
        planner.Plan(*a, is_pair ? &b : nullptr, rule, InputField(i));
    if (!plan.ok()) return plan.status();
    plans.push_back(*std::move(plan));
  }
  return plans;
}

absl::StatusOr<std::vector<SequencePlan>> PlanTexts(
    const tokenizer::Tokenizer& tokenizer, std::span<const std::string> texts,
    const LengthRule& rule) {
  SequencePlanner planner(tokenizer);
  std::vector<SequencePlan> plans;
  plans.reserve(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string field = InputField(i);
    absl::StatusOr<TokenSequence> tokens =
        TokenizeField(tokenizer, texts[i], field);
    if (!tokens.ok()) return tokens.status();
    absl::StatusOr<SequencePlan> plan =
        planner.Plan(*tokens, nullptr, rule, field);
    if (!plan.ok()) return plan.status();
    plans.push_back(*std::move(plan));
  }
  return plans;
}

SequenceInput ToSequence(const tokenizer::Encoding& encoding,
                         std::vector<uint32_t> rows, Readout readout) {
  return {.ids = encoding.ids,
          .type_ids = encoding.type_ids,
          .rows = std::move(rows),
          .readout = readout};
}

PlannedInput AddFirstRows(std::span<const SequencePlan> plans,
                          std::vector<SequenceInput>* sequences) {
  PlannedInput input;
  for (const SequencePlan& plan : plans) {
    input.windows.push_back(plan.encodings.size());
    for (const tokenizer::Encoding& encoding : plan.encodings) {
      sequences->push_back(ToSequence(encoding, {0}, Readout::kHeadLogits));
    }
    if (plan.coverage.tokens_total > input.coverage.tokens_total) {
      input.coverage = plan.coverage;
    }
  }
  return input;
}

std::vector<float> MeanLogits(std::span<const SequenceOutput> windows) {
  if (windows.size() == 1) return windows[0].values;
  std::vector<double> sums(windows[0].width);
  for (const SequenceOutput& window : windows) {
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] += static_cast<double>(window.values[i]);
    }
  }
  std::vector<float> mean(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    mean[i] = static_cast<float>(sums[i] / static_cast<double>(windows.size()));
  }
  return mean;
}

std::vector<uint32_t> AllRows(size_t count) {
  std::vector<uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

}  // namespace deberta::server
