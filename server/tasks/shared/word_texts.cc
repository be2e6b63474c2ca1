#include "server/tasks/shared/word_texts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"
#include "tokenizer/text/lower_case.h"
#include "tokenizer/text/text_index.h"
#include "tokenizer/text/unicode.h"
#include "tokenizer/text/words.h"

namespace deberta::server {

using tokenizer::TokenSequence;

absl::Status WordTexts::Add(std::string_view input, WordStyle style,
                            const WordRule& rule,
                            const tokenizer::Tokenizer& tokenizer) {
  const std::string field = InputField(texts_.size());
  if (input.empty()) return InputError(field, "must not be empty");
  if (const auto invalid = tokenizer::FindInvalidUtf8(input)) {
    return InputError(
        field, absl::StrCat("text: expected UTF-8, got an invalid byte at "
                            "offset ",
                            *invalid));
  }
  Text& text = texts_.emplace_back();
  text.words = style == WordStyle::kGliner ? tokenizer::GlinerWords(input)
                                           : tokenizer::Gliner2Words(input);
  if (text.words.empty()) {
    text.plan.coverage.windows = 0;
    return absl::OkStatus();
  }
  // Before anything is tokenized that would be refused.
  if (absl::Status s = CheckWordCount(text.words.size(), rule, field);
      !s.ok()) {
    return s;
  }
  const tokenizer::TextIndex places(input);
  text.ends.reserve(text.words.size());
  for (const tokenizer::Span word : text.words) {
    const std::string_view own = places.Text(word);
    absl::StatusOr<TokenSequence> tokens =
        style == WordStyle::kGliner
            ? TokenizeField(tokenizer, own, field)
            : TokenizeField(tokenizer, tokenizer::PythonLower(own), field);
    if (!tokens.ok()) return tokens.status();
    text.ids.insert(text.ids.end(), tokens->ids.begin(), tokens->ids.end());
    text.ends.push_back(static_cast<uint32_t>(text.ids.size()));
  }
  absl::StatusOr<WordPlan> plan = PlanWords(text.ends, rule, field);
  if (!plan.ok()) return plan.status();
  text.plan = *std::move(plan);
  longest_ = std::max(longest_, text.plan.longest);
  tokens_ += text.plan.coverage.tokens_total;
  for (const WordPlan::Window& window : text.plan.windows) {
    computed_ += rule.fixed_tokens + text.TokensBefore(window.end) -
                 text.TokensBefore(window.begin);
  }
  return absl::OkStatus();
}

void WordTexts::ReadBlank(size_t fixed_tokens) {
  WordPlan& plan = texts_.back().plan;
  plan.windows = {{}};
  plan.longest = fixed_tokens;
  plan.coverage = {
      .tokens_total = fixed_tokens, .tokens_used = fixed_tokens, .windows = 1};
  longest_ = std::max(longest_, fixed_tokens);
  tokens_ += fixed_tokens;
  computed_ += fixed_tokens;
}

std::vector<Coverage> WordTexts::coverage() const {
  std::vector<Coverage> coverage;
  coverage.reserve(texts_.size());
  for (const Text& text : texts_) coverage.push_back(text.plan.coverage);
  return coverage;
}

WordTexts::Place WordTexts::From(Place place) const {
  while (place.input < texts_.size() &&
         place.window == texts_[place.input].plan.windows.size()) {
    place = {.input = place.input + 1, .window = 0};
  }
  return place;
}

WordTexts::Window WordTexts::At(Place place) const {
  const auto [begin, end] = texts_[place.input].plan.windows[place.window];
  return {
      .input = place.input, .index = place.window, .begin = begin, .end = end};
}

std::optional<WordTexts::Window> WordTexts::Next() {
  next_ = From(next_);
  if (next_.input == texts_.size()) return std::nullopt;
  const Window window = At(next_);
  ++next_.window;
  next_ = From(next_);
  return window;
}

std::optional<WordTexts::Window> WordTexts::Current() const {
  const Place place = From(taken_);
  if (place == From(next_)) return std::nullopt;
  return At(place);
}

void WordTexts::Take() {
  taken_ = From(taken_);
  ++taken_.window;
  taken_ = From(taken_);
}

size_t WordTexts::taken() const { return From(taken_).input; }

void WordTexts::Forget(size_t input) {
  const Coverage coverage = texts_[input].plan.coverage;
  texts_[input] = {};
  texts_[input].plan.coverage = coverage;
}

}  // namespace deberta::server
