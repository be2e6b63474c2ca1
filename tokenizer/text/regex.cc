#include "tokenizer/text/regex.h"

#include <re2/re2.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/regex_syntax.h"

namespace deberta::tokenizer {
namespace {

// Of the compiled program and its automata.
constexpr int64_t kMaxProgramBytes = int64_t{8} << 20;

}  // namespace

absl::StatusOr<Regex> Regex::Compile(std::string_view pattern) {
  absl::StatusOr<std::string> translated = TranslateRegex(pattern);
  if (!translated.ok()) return translated.status();
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxProgramBytes);
  options.set_never_capture(true);
  auto program = std::make_shared<re2::RE2>(*translated, options);
  if (!program->ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("regular expression \"", Excerpt(pattern),
                     "\": ", program->error().substr(0, 100)));
  }
  return Regex(std::move(program));
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
  return Match{begin, begin + found.size()};
}

size_t Regex::resident_bytes() const {
  return static_cast<size_t>(program_->ProgramSize()) * 16;
}

}  // namespace deberta::tokenizer
