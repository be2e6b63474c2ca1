#include "tokenizer/text/split_pattern.h"

#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/absl_view.h"
#include "tokenizer/text/regex_syntax.h"

namespace deberta::tokenizer {
namespace {

// Takes one of `endings` off, which then is a whole alternative or several:
// whatever a class, a group or a backslash would make of it is left without its
// end, and refused.
bool TakeAlternatives(std::initializer_list<std::string_view> endings,
                      std::string_view* pattern) {
  for (const std::string_view ending : endings) {
    if (!pattern->ends_with(ending)) continue;
    const std::string_view rest =
        pattern->substr(0, pattern->size() - ending.size());
    if (!rest.empty() && !rest.ends_with('|')) continue;
    *pattern = rest.substr(0, rest.empty() ? 0 : rest.size() - 1);
    return true;
  }
  return false;
}

// Two letters that Oniguruma takes for one ligature or sharp s as well.
bool FoldsTogether(std::string_view letters) {
  for (const std::string_view pair : {"ff", "fi", "fl", "ss", "st"}) {
    if (letters.find(pair) != std::string_view::npos) return true;
  }
  return false;
}

// A group `(?i:...)` of ASCII letters, "'" and "|" at the start, spelled out.
// Anything else stays, for the translator to refuse.
std::string WithoutIgnoreCase(std::string_view pattern) {
  constexpr std::string_view kGroup = "(?i:";
  const size_t end = pattern.find(')');
  if (!pattern.starts_with(kGroup) || end == std::string_view::npos) {
    return std::string(pattern);
  }
  const std::string body = absl::AsciiStrToLower(
      ToAbsl(pattern.substr(kGroup.size(), end - kGroup.size())));
  if (FoldsTogether(body)) return std::string(pattern);
  std::string spelled = "(?:";
  for (const char c : body) {
    if (absl::ascii_isalpha(static_cast<unsigned char>(c))) {
      const char upper = absl::ascii_toupper(static_cast<unsigned char>(c));
      const char* other = c == 's' ? "\\x{17f}" : c == 'k' ? "\\x{212a}" : "";
      absl::StrAppend(&spelled, "[", std::string{c, upper}, other, "]");
    } else if (c == '\'' || c == '|') {
      spelled += c;
    } else {
      return std::string(pattern);
    }
  }
  return absl::StrCat(spelled, ToAbsl(pattern.substr(end)));
}

// `\s*[\r\n]+`: white space up to its last line's end. With nothing but white
// space behind it, no character is read more than twice for it.
absl::StatusOr<std::string> UpToLineEnd() {
  const absl::StatusOr<std::string> space = TranslateRegex("\\s+");
  const absl::StatusOr<std::string> ends = TranslateRegex("[\\r\\n]+");
  if (!space.ok()) return space.status();
  if (!ends.ok()) return ends.status();
  return absl::StrCat(*space, *ends, "|", *ends);
}

}  // namespace

absl::StatusOr<SplitPattern> TranslateSplitPattern(std::string_view pattern) {
  const std::string spelled = WithoutIgnoreCase(pattern);
  std::string_view rest = spelled;
  SplitPattern split;
  split.ends_in_look_ahead =
      TakeAlternatives({"\\s+(?!\\S)|\\s+", "\\s+(?!\\S)|\\s"}, &rest);
  if (!split.ends_in_look_ahead) {
    absl::StatusOr<std::string> whole = TranslateRegex(spelled);
    if (!whole.ok()) return whole.status();
    split.whole = *std::move(whole);
    return split;
  }
  const bool lines = TakeAlternatives({"\\s*[\\r\\n]+", "\\s*[\\r\\n]"}, &rest);
  absl::StatusOr<std::string> before =
      rest.empty() ? std::string() : TranslateRegex(rest);
  if (!before.ok()) return before.status();
  if (lines) {
    const absl::StatusOr<std::string> line = UpToLineEnd();
    if (!line.ok()) return line.status();
    absl::StrAppend(&*before, before->empty() ? "" : "|", *line);
  }
  const absl::StatusOr<std::string> space = TranslateRegex("\\s+");
  if (!space.ok()) return space.status();
  split.whole = absl::StrCat(*before, before->empty() ? "" : "|", *space);
  if (!before->empty()) split.before = *std::move(before);
  return split;
}

}  // namespace deberta::tokenizer
