#include "tokenizer/text/regex_syntax.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tokenizer/text/absl_view.h"
#include "tokenizer/text/code_points.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/regex_classes.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

constexpr size_t kMaxPatternBytes = 1024;
constexpr size_t kMaxDepth = 16;
constexpr uint32_t kMaxRepeat = 256;

// What a part of a pattern can match.
struct Part {
  std::string text;
  bool nullable = false;   // also nothing
  bool unbounded = false;  // as much as there is
};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  absl::StatusOr<std::string> Translate() {
    if (pattern_.size() > kMaxPatternBytes || FindInvalidUtf8(pattern_)) {
      return absl::InvalidArgumentError(
          absl::StrCat("regular expression: expected UTF-8 of at most ",
                       kMaxPatternBytes, " bytes"));
    }
    const Part whole = Alternatives(0);
    if (status_.ok() && at_ < pattern_.size()) Fail("an unmatched \")\"");
    if (status_.ok() && whole.nullable) Fail("a match of the empty text");
    if (!status_.ok()) return status_;
    return whole.text;
  }

 private:
  // Notes what is not understood, unless something was noted before.
  void Fail(std::string_view what) {
    if (!status_.ok()) return;
    status_ = absl::InvalidArgumentError(absl::StrCat(
        "regular expression \"", Excerpt(pattern_), "\": ", ToAbsl(what),
        " (near byte ", at_, ") is not supported"));
  }

  bool AtEnd() const { return !status_.ok() || at_ >= pattern_.size(); }
  bool StartsWith(std::string_view text) const {
    return pattern_.substr(at_).starts_with(text);
  }
  bool Skip(std::string_view text) {
    if (AtEnd() || !StartsWith(text)) return false;
    at_ += text.size();
    return true;
  }
  char32_t Take() { return DecodeUtf8(pattern_, &at_); }

  Part Alternatives(size_t depth);
  Part Alternative(size_t depth);
  Part Atom(size_t depth);
  Part Group(size_t depth);
  void Repeat(Part* part);
  bool Interval(uint32_t* least, std::optional<uint32_t>* most);
  CodePoints Class();
  // What stands behind a backslash, one character or many.
  // `word` are the members of \w.
  CodePoints Escape(Members word);
  CodePoints Property(Members word, bool negated);
  char32_t Hexadecimal(size_t most, std::string_view end);

  static Part OneOf(CodePoints set);

  // Found once: a pattern may name it often.

  const std::string_view pattern_;
  size_t at_ = 0;
  absl::Status status_;
};

Part Translator::OneOf(CodePoints set) {
  Tidy(&set);
  Part part = {.text = "["};
  for (const auto& [first, last] : set) {
    absl::StrAppendFormat(&part.text, "\\x{%x}-\\x{%x}",
                          static_cast<uint32_t>(first),
                          static_cast<uint32_t>(last));
  }
  part.text += "]";
  return part;
}

Part Translator::Alternatives(size_t depth) {
  Part all = Alternative(depth);
  while (Skip("|")) {
    const Part next = Alternative(depth);
    all.text += "|" + next.text;
    all.nullable = all.nullable || next.nullable;
    all.unbounded = all.unbounded || next.unbounded;
  }
  return all;
}

Part Translator::Alternative(size_t depth) {
  Part all = {.text = {}, .nullable = true};
  while (!AtEnd() && !StartsWith("|") && !StartsWith(")")) {
    Part part = Atom(depth);
    if (AtEnd() && !status_.ok()) break;
    Repeat(&part);
    // Each match would read the text to its end, only to stop before.
    if (all.unbounded && !part.nullable) {
      Fail("a repetition without end before something that must follow");
    }
    all.text += part.text;
    all.nullable = all.nullable && part.nullable;
    all.unbounded = all.unbounded || part.unbounded;
  }
  return all;
}

Part Translator::Atom(size_t depth) {
  switch (pattern_[at_]) {
    case '(':
      return Group(depth);
    case '[':
      ++at_;
      return OneOf(Class());
    case '\\':
      ++at_;
      return OneOf(Escape(AllThat<IsRegexWord>));
    case '.':
      ++at_;
      return OneOf(Complement({{'\n', '\n'}}));
    case '^':
    case '$':
      Fail("an anchor");
      return {};
    case '*':
    case '+':
    case '?':
    case '{':
      Fail("a repetition of nothing");
      return {};
    default:
      break;
  }
  const char32_t c = Take();
  return OneOf({{c, c}});
}

Part Translator::Group(size_t depth) {
  ++at_;
  if (depth == kMaxDepth) {
    Fail("a group in so many others");
    return {};
  }
  if (!Skip("?:") && StartsWith("?")) {
    if (StartsWith("?=") || StartsWith("?!")) {
      Fail("look-ahead");
    } else if (StartsWith("?<=") || StartsWith("?<!")) {
      Fail("look-behind");
    } else {
      Fail("a group that begins with \"(?\"");
    }
    return {};
  }
  Part inner = Alternatives(depth + 1);
  if (!Skip(")")) Fail("a group without its end");
  inner.text = "(?:" + inner.text + ")";
  return inner;
}

// {n}, {n,}, {n,m} or {,m}; false, with nothing taken, if there is none.
bool Translator::Interval(uint32_t* least, std::optional<uint32_t>* most) {
  const size_t begin = at_;
  const auto number = [&]() -> std::optional<uint32_t> {
    std::optional<uint32_t> value;
    while (at_ < pattern_.size() && pattern_[at_] >= '0' &&
           pattern_[at_] <= '9' && value.value_or(0) <= kMaxRepeat) {
      value =
          value.value_or(0) * 10 + static_cast<uint32_t>(pattern_[at_++] - '0');
    }
    return value;
  };
  ++at_;
  const std::optional<uint32_t> first = number();
  const bool range = Skip(",");
  *most = range ? number() : first;
  *least = first.value_or(0);
  if (!Skip("}") || (!first && !*most)) {
    at_ = begin;
    return false;
  }
  return true;
}

void Translator::Repeat(Part* part) {
  if (AtEnd()) return;
  uint32_t least = 0;
  std::optional<uint32_t> most;
  bool interval = false;
  if (Skip("*")) {
  } else if (Skip("+")) {
    least = 1;
  } else if (Skip("?")) {
    most = 1;
  } else if (StartsWith("{")) {
    interval = true;
    if (!Interval(&least, &most)) return Fail("a \"{\" that repeats nothing");
  } else {
    return;
  }
  if (least > kMaxRepeat || most.value_or(0) > kMaxRepeat ||
      (most && (least > *most || *most == 0))) {
    return Fail("a repetition so often");
  }
  if (part->nullable) return Fail("a repetition of what may be empty");
  if (part->unbounded && (!most || *most > 1)) {
    return Fail("a repetition of a repetition without end");
  }
  if (StartsWith("+") || StartsWith("*") || StartsWith("{") ||
      (interval && StartsWith("?"))) {
    return Fail("a second repetition, or a possessive one");
  }
  const bool lazy = Skip("?");
  if (StartsWith("?") || StartsWith("+") || StartsWith("*") ||
      StartsWith("{")) {
    return Fail("a second repetition");
  }
  part->text += most.has_value() ? absl::StrCat("{", least, ",", *most, "}")
                                 : absl::StrCat("{", least, ",}");
  if (lazy) part->text += "?";
  part->nullable = least == 0;
  part->unbounded = part->unbounded || !most.has_value();
}

CodePoints Translator::Class() {
  const bool negated = Skip("^");
  CodePoints set;
  bool first = true;
  while (!AtEnd() && (first || !StartsWith("]"))) {
    if (StartsWith("[") || StartsWith("&&") || (first && StartsWith("]"))) {
      Fail("a class in a class, an intersection or a \"]\" at a class's start");
      return set;
    }
    first = false;
    const bool escaped = Skip("\\");
    const char32_t c = escaped ? 0 : Take();
    CodePoints part =
        escaped ? Escape(AllThat<IsRegexClassWord>) : CodePoints{{c, c}};
    const bool one =
        part.size() == 1 && part.front().first == part.front().second;
    if (one && StartsWith("-") && !StartsWith("-]")) {
      ++at_;
      const bool end_escaped = Skip("\\");
      if (AtEnd() || StartsWith("[")) break;
      const char32_t d = end_escaped ? 0 : Take();
      const CodePoints end =
          end_escaped ? Escape(AllThat<IsRegexClassWord>) : CodePoints{{d, d}};
      if (end.size() != 1 || end.front().first != end.front().second ||
          end.front().first < part.front().first) {
        Fail("a range");
        return set;
      }
      part.front().second = end.front().second;
    }
    set.insert(set.end(), part.begin(), part.end());
  }
  if (!Skip("]")) Fail("a class without its end");
  Tidy(&set);
  if (negated) set = Complement(set);
  if (set.empty()) Fail("a class of no character");
  return set;
}

CodePoints Translator::Escape(Members word) {
  if (AtEnd()) {
    Fail("a backslash at the end");
    return {};
  }
  const auto one = [](char32_t c) { return CodePoints{{c, c}}; };
  const auto both = [](Members members, bool negated) {
    const CodePoints& set = members();
    return negated ? Complement(set) : set;
  };
  const char32_t c = Take();
  switch (c) {
    case 't':
      return one('\t');
    case 'n':
      return one('\n');
    case 'r':
      return one('\r');
    case 'f':
      return one('\f');
    case 'v':
      return one('\v');
    case 'd':
    case 'D':
      return both(AllThat<IsDecimalDigit>, c == 'D');
    case 's':
    case 'S':
      return both(AllThat<IsWhiteSpace>, c == 'S');
    case 'w':
    case 'W':
      return both(word, c == 'W');
    case 'p':
    case 'P':
      return Property(word, c == 'P');
    case 'u':
      return one(Hexadecimal(4, ""));
    case 'x':
      if (Skip("{")) return one(Hexadecimal(6, "}"));
      break;
    default:
      break;
  }
  const bool letter_or_digit = c >= 0x80 || IsLetter(c) || IsNumber(c);
  if (letter_or_digit) {
    Fail(c >= '1' && c <= '9' ? "a back reference" : "this escape");
  }
  return one(c);
}

char32_t Translator::Hexadecimal(size_t most, std::string_view end) {
  char32_t value = 0;
  size_t digits = 0;
  for (; digits < most && at_ < pattern_.size(); ++digits, ++at_) {
    const char d = pattern_[at_];
    if (d >= '0' && d <= '9') {
      value = value * 16 + static_cast<char32_t>(d - '0');
    } else if ((d | 0x20) >= 'a' && (d | 0x20) <= 'f') {
      value = value * 16 + static_cast<char32_t>((d | 0x20) - 'a' + 10);
    } else {
      break;
    }
  }
  const bool whole = end.empty() ? digits == most : digits > 0 && Skip(end);
  const bool scalar =
      value <= kLastCodePoint && (value < 0xD800 || value > 0xDFFF);
  if (!whole || !scalar) Fail("this code point");
  return scalar ? value : 0;
}

CodePoints Translator::Property(Members word, bool negated) {
  const size_t end = pattern_.find('}', at_);
  if (!Skip("{") || end == std::string_view::npos) {
    Fail("this property");
    return {};
  }
  if (Skip("^")) negated = !negated;
  const std::string_view name = pattern_.substr(at_, end - at_);
  if (const Members members = FindProperty(name); members != nullptr) {
    at_ = end + 1;
    const bool is_word = members == AllThat<IsRegexWord>;
    const CodePoints& set = is_word ? word() : members();
    return negated ? Complement(set) : set;
  }
  Fail(absl::StrCat("the property \"", Excerpt(name), "\""));
  return {};
}

}  // namespace

absl::StatusOr<std::string> TranslateRegex(std::string_view pattern) {
  return Translator(pattern).Translate();
}

}  // namespace deberta::tokenizer
