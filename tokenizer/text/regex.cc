#include "tokenizer/text/regex.h"

#include <re2/re2.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/split_pattern.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// Of the compiled program and its automata.
constexpr int64_t kMaxProgramBytes = int64_t{8} << 20;

absl::StatusOr<std::shared_ptr<const re2::RE2>> CompileProgram(
    std::string_view pattern, const std::string& translated) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxProgramBytes);
  options.set_never_capture(true);
  auto program = std::make_shared<const re2::RE2>(translated, options);
  if (program->ok()) return program;
  return absl::InvalidArgumentError(
      absl::StrCat("regular expression \"", Excerpt(pattern),
                   "\": ", program->error().substr(0, 100)));
}

}  // namespace

absl::StatusOr<Regex> Regex::Compile(std::string_view pattern) {
  const absl::StatusOr<SplitPattern> split = TranslateSplitPattern(pattern);
  if (!split.ok()) return split.status();
  Regex regex;
  regex.ends_in_look_ahead_ = split->ends_in_look_ahead;
  auto whole = CompileProgram(pattern, split->whole);
  if (!whole.ok()) return whole.status();
  regex.program_ = *std::move(whole);
  if (split->before.has_value()) {
    auto before = CompileProgram(pattern, *split->before);
    if (!before.ok()) return before.status();
    regex.before_look_ahead_ = *std::move(before);
  }
  return regex;
}

std::optional<Regex::Match> Regex::Find(std::string_view text,
                                        size_t from) const {
  re2::StringPiece found;
  if (from >= text.size() ||
      !program_->Match(re2::StringPiece(text.data(), text.size()), from,
                       text.size(), re2::RE2::UNANCHORED, &found, 1)) {
    return std::nullopt;
  }
  const auto begin = static_cast<size_t>(found.data() - text.data());
  const Match match = {begin, begin + found.size()};
  return ends_in_look_ahead_ ? WithoutSpaceBeforeWord(text, match) : match;
}

Regex::Match Regex::WithoutSpaceBeforeWord(std::string_view text,
                                           Match match) const {
  size_t last = match.end;
  const char32_t c = DecodeUtf8Before(text, &last);
  // The greedy `\s+` ends at a word or at the text's end.
  if (match.end == text.size() || last == match.begin || !IsWhiteSpace(c)) {
    return match;
  }
  if (before_look_ahead_ != nullptr &&
      before_look_ahead_->Match(re2::StringPiece(text.data(), text.size()),
                                match.begin, text.size(),
                                re2::RE2::ANCHOR_START, nullptr, 0)) {
    return match;
  }
  return {match.begin, last};
}

size_t Regex::resident_bytes() const {
  const int before =
      before_look_ahead_ == nullptr ? 0 : before_look_ahead_->ProgramSize();
  return static_cast<size_t>(program_->ProgramSize() + before) * 16;
}

}  // namespace deberta::tokenizer
