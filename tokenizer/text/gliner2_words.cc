// The alternatives of GLiNER2's pattern, in its order; the first that matches
// is taken.

#include <cstddef>
#include <cstdint>
#include <string>

#include "tokenizer/text/code_point_ranges.h"
#include "tokenizer/text/unicode.h"
#include "tokenizer/text/word_ranges.h"
#include "tokenizer/text/words.h"

namespace deberta::tokenizer {
namespace {

constexpr size_t kNone = ~size_t{0};

// [a-z] without regard to case, which the dotted and the dotless i, the long s
// and the Kelvin sign are of too.
bool IsLetter(char32_t c) {
  return Between(c, U'a', U'z') || Between(c, U'A', U'Z') || c == 0x130 ||
         c == 0x131 || c == 0x17F || c == 0x212A;
}

bool IsDigit(char32_t c) { return Between(c, U'0', U'9'); }

bool IsLocal(char32_t c) {
  return IsLetter(c) || IsDigit(c) || c == U'.' || c == U'_' || c == U'%' ||
         c == U'+' || c == U'-';
}

bool IsDomain(char32_t c) {
  return IsLetter(c) || IsDigit(c) || c == U'.' || c == U'-';
}

bool IsWord(char32_t c) {
  return IsPythonWordCharacter(c) || c == 0x200C || c == 0x200D ||
         (c >= 0x80 && Contains(kMarkRanges, c));
}

bool IsSame(char32_t c, char32_t lower) {
  return c == lower || (Between(lower, U'a', U'z') && c + 0x20 == lower) ||
         (lower == U's' && c == 0x17F);
}

std::u32string Decode(std::string_view text) {
  std::u32string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size();) decoded += DecodeUtf8(text, &i);
  return decoded;
}

class Matcher {
 public:
  explicit Matcher(std::string_view text) : text_(Decode(text)) {}

  size_t size() const { return text_.size(); }
  bool IsSpaceAt(size_t i) const { return IsPythonSpace(text_[i]); }
  // The end of the word that begins at `i`. REQUIRES: no space is there.
  size_t EndOf(size_t i) {
    for (const size_t end : {Url(i), Email(i), Handle(i), Word(i)}) {
      if (end != kNone) return end;
    }
    return i + 1;
  }

 private:
  template <typename Is>
  size_t Run(size_t i, Is is) const {
    while (i < text_.size() && is(text_[i])) ++i;
    return i;
  }

  // The end of `literal` at `i`, in any case.
  size_t Literal(size_t i, std::u32string_view literal) const {
    if (text_.size() - i < literal.size()) return kNone;
    for (size_t k = 0; k < literal.size(); ++k) {
      if (!IsSame(text_[i + k], literal[k])) return kNone;
    }
    return i + literal.size();
  }

  // https?://[^\s]+ or www\.[^\s]+
  size_t Url(size_t i) const {
    for (const std::u32string_view begin : {U"http://", U"https://", U"www."}) {
      const size_t rest = Literal(i, begin);
      if (rest == kNone) continue;
      const size_t end =
          Run(rest, [](char32_t c) { return !IsPythonSpace(c); });
      if (end > rest) return end;
    }
    return kNone;
  }

  // [a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}
  size_t Email(size_t i) {
    if (!IsLocal(text_[i])) return kNone;
    // Words within a run have the rest of it in common.
    if (i >= local_end_) {
      local_end_ = Run(i, IsLocal);
      email_end_ = Domain(local_end_);
    }
    return email_end_;
  }
  // The end of the address whose @ stands at `at`.
  size_t Domain(size_t at) const {
    if (at == text_.size() || text_[at] != U'@') return kNone;
    const size_t run = Run(at + 1, IsDomain);
    for (size_t dot = run; dot > at + 2;) {
      if (text_[--dot] != U'.') continue;
      const size_t end = Run(dot + 1, IsLetter);
      if (end >= dot + 3) return end;
    }
    return kNone;
  }

  // @[a-z0-9_]+
  size_t Handle(size_t i) const {
    if (text_[i] != U'@') return kNone;
    const size_t end = Run(i + 1, [](char32_t c) {
      return IsLetter(c) || IsDigit(c) || c == U'_';
    });
    return end > i + 1 ? end : kNone;
  }

  // W+(?:[-_]W+)*, the underscore being of W.
  size_t Word(size_t i) const {
    if (!IsWord(text_[i])) return kNone;
    while (true) {
      i = Run(i, IsWord);
      if (i + 1 >= text_.size() || text_[i] != U'-' || !IsWord(text_[i + 1]))
        return i;
      ++i;
    }
  }

  const std::u32string text_;
  size_t local_end_ = 0;
  size_t email_end_ = kNone;
};

}  // namespace

std::vector<Span> Gliner2Words(std::string_view text) {
  std::vector<Span> words;
  Matcher matcher(text);
  for (size_t i = 0; i < matcher.size();) {
    if (matcher.IsSpaceAt(i)) {
      ++i;
      continue;
    }
    const size_t end = matcher.EndOf(i);
    words.push_back({static_cast<uint32_t>(i), static_cast<uint32_t>(end)});
    i = end;
  }
  return words;
}

}  // namespace deberta::tokenizer
