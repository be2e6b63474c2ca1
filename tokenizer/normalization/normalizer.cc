#include "tokenizer/normalization/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/normalization/aligned_text.h"
#include "tokenizer/normalization/nfc.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/grapheme.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

constexpr std::string_view kSpacesRegex = " {2,}";
constexpr std::string_view kWhiteSpaceRegex = "\\s{2,}|[\\n\\r\\t]";

// Of a pattern or its content: keeps the work for a text linear.
constexpr size_t kMaxReplaceBytes = 256;

std::u32string ToCodePoints(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) out.push_back(DecodeUtf8(text, &i));
  return out;
}

struct CaseRange {
  char32_t first;
  char32_t last;
  char32_t lower;  // of `first`
};

// Letters of Unicode 16.0 and 17.0 that utf8proc 2.8 (Unicode 15.0) does not
// map; the reference's Lowercase has Unicode 17.0.
constexpr CaseRange kLowercaseAfter15[] = {
    {0x1C89, 0x1C89, 0x1C8A},    {0xA7CB, 0xA7CB, 0x264},
    {0xA7CC, 0xA7CC, 0xA7CD},    {0xA7CE, 0xA7CE, 0xA7CF},
    {0xA7D2, 0xA7D2, 0xA7D3},    {0xA7D4, 0xA7D4, 0xA7D5},
    {0xA7DA, 0xA7DA, 0xA7DB},    {0xA7DC, 0xA7DC, 0x19B},
    {0x10D50, 0x10D65, 0x10D70}, {0x16EA0, 0x16EB8, 0x16EBB}};

char32_t ToLower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  for (const CaseRange& range : kLowercaseAfter15) {
    if (c >= range.first && c <= range.last)
      return range.lower + c - range.first;
  }
  return static_cast<char32_t>(
      utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

void ApplyLowercase(AlignedText* text) {
  // The one code point whose lower case is two.
  constexpr char32_t kCapitalIWithDot = 0x130;
  constexpr char32_t kCombiningDotAbove = 0x307;
  AlignedText out;
  out.reserve(text->size());
  for (const AlignedChar& c : *text) {
    out.push_back({ToLower(c.value), c.span});
    if (c.value == kCapitalIWithDot) {
      out.back().value = 'i';
      out.push_back({kCombiningDotAbove, c.span});
    }
  }
  *text = std::move(out);
}

void ApplyStrip(const Normalizer::Strip& strip, AlignedText* text) {
  const auto is_text = [](const AlignedChar& c) {
    return !IsWhiteSpace(c.value);
  };
  if (strip.right) {
    text->erase(std::find_if(text->rbegin(), text->rend(), is_text).base(),
                text->end());
  }
  if (strip.left) {
    text->erase(text->begin(),
                std::find_if(text->begin(), text->end(), is_text));
  }
}

// The result of a character map, aligned as the reference aligns it. It tells
// each new character how many old ones it consumes; removals are told to the
// character before, so that one at the very start is lost and everything behind
// it is aligned too far left.
class MappedText {
 public:
  explicit MappedText(const AlignedText& source) : source_(source) {
    out_.reserve(source.size());
  }

  void Keep(char32_t c) {
    out_.push_back({c, source_[next_++].span});
    last_added_ = false;
  }

  // `count` characters become those of `content`, which is UTF-8.
  void Replace(size_t count, std::string_view content) {
    if (content.empty()) return Remove(count);
    size_t taken = 0;
    for (size_t i = 0; i < content.size(); ++taken) {
      last_added_ = taken >= count;
      const size_t old = last_added_ ? next_ - 1 : next_++;
      out_.push_back({DecodeUtf8(content, &i), source_[old].span});
    }
    if (taken < count) next_ += count - taken;
  }

  AlignedText Take() && { return std::move(out_); }

 private:
  void Remove(size_t count) {
    if (out_.empty()) return;
    if (last_added_) out_.back().span = source_[next_].span;
    last_added_ = false;
    next_ += count;
  }

  const AlignedText& source_;
  AlignedText out_;
  size_t next_ = 0;          // the first character not consumed
  bool last_added_ = false;  // the last new character consumed none
};

// The cluster [begin, end): short ones are looked up whole, and what follows
// the prefix found is dropped; long ones, and those not found, character by
// character.
void MapCluster(const Charsmap& map, const AlignedText& text, size_t begin,
                size_t end, MappedText* out) {
  constexpr size_t kLongClusterBytes = 6;
  std::string key;
  for (size_t i = begin; i < end && key.size() < kLongClusterBytes; ++i) {
    AppendUtf8(text[i].value, &key);
  }
  if (key.size() < kLongClusterBytes) {
    if (const auto content = map.Find(key)) {
      return out->Replace(end - begin, *content);
    }
    if (end == begin + 1) return out->Keep(text[begin].value);
  }
  for (size_t i = begin; i < end; ++i) {
    key.clear();
    AppendUtf8(text[i].value, &key);
    if (const auto content = map.Find(key)) {
      out->Replace(1, *content);
    } else {
      out->Keep(text[i].value);
    }
  }
}

void ApplyCharsmap(const Charsmap& map, AlignedText* text) {
  MappedText mapped(*text);
  GraphemeScanner scanner;
  if (!text->empty()) scanner.StartsCluster(text->front().value);
  for (size_t begin = 0, end; begin < text->size(); begin = end) {
    end = begin + 1;
    while (end < text->size() && !scanner.StartsCluster((*text)[end].value)) {
      ++end;
    }
    const char32_t first = (*text)[begin].value;
    if (end == begin + 1 && first < 0x80 &&
        map.KeepsAscii(static_cast<unsigned char>(first))) {
      mapped.Keep(first);
    } else {
      MapCluster(map, *text, begin, end, &mapped);
    }
  }
  *text = std::move(mapped).Take();
}

// How many spaces stand at `i`, if there are two or more.
size_t SpacesLength(const AlignedText& text, size_t i) {
  size_t end = i;
  while (end < text.size() && text[end].value == ' ') ++end;
  return end - i >= 2 ? end - i : 0;
}

// How many characters \s{2,}|[\n\r\t] matches at `i`.
size_t WhiteSpaceLength(const AlignedText& text, size_t i) {
  size_t end = i;
  while (end < text.size() && IsWhiteSpace(text[end].value)) ++end;
  if (end - i >= 2) return end - i;
  const char32_t c = text[i].value;
  return c == '\n' || c == '\r' || c == '\t' ? 1 : 0;
}

size_t LiteralLength(const AlignedText& text, size_t i,
                     const std::u32string& literal) {
  if (literal.size() > text.size() - i) return 0;
  for (size_t k = 0; k < literal.size(); ++k) {
    if (text[i + k].value != literal[k]) return 0;
  }
  return literal.size();
}

// New characters take the span of the last one replaced.
template <typename MatchLengthAt>
void ApplyReplace(MatchLengthAt match_length, const std::u32string& content,
                  AlignedText* text) {
  AlignedText out;
  out.reserve(text->size());
  for (size_t i = 0; i < text->size();) {
    const size_t length = match_length(i);
    if (length == 0) {
      out.push_back((*text)[i++]);
      continue;
    }
    i += length;
    for (const char32_t c : content) out.push_back({c, (*text)[i - 1].span});
  }
  *text = std::move(out);
}

AlignedText Align(std::string_view stretch, uint32_t first_code_point) {
  AlignedText text;
  text.reserve(stretch.size());
  uint32_t position = first_code_point;
  for (size_t i = 0; i < stretch.size(); ++position) {
    const char32_t c = DecodeUtf8(stretch, &i);
    text.push_back({c, {position, position + 1}});
  }
  return text;
}

}  // namespace

absl::StatusOr<Normalizer::CodePointReplace> Normalizer::Compile(
    const Replace& replace) {
  const bool spaces = replace.regex && replace.pattern == kSpacesRegex;
  const bool white = replace.regex && replace.pattern == kWhiteSpaceRegex;
  if (replace.pattern.empty() || (replace.regex && !spaces && !white)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "normalizer Replace: the pattern \"", Excerpt(replace.pattern),
        "\" is not supported; expected a non-empty string or the regular "
        "expression \" {2,}\" or \"\\s{2,}|[\\n\\r\\t]\""));
  }
  for (const std::string& text : {replace.pattern, replace.content}) {
    if (text.size() <= kMaxReplaceBytes && !FindInvalidUtf8(text)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "normalizer Replace: pattern and content must be UTF-8 of at most ",
        kMaxReplaceBytes, " bytes"));
  }
  return CodePointReplace{.kind = spaces  ? Pattern::kSpaces
                                  : white ? Pattern::kWhiteSpace
                                          : Pattern::kLiteral,
                          .literal = ToCodePoints(replace.pattern),
                          .content = ToCodePoints(replace.content)};
}

void Normalizer::Apply(const CodePointReplace& replace, AlignedText* text) {
  switch (replace.kind) {
    case Pattern::kLiteral:
      return ApplyReplace(
          [&](size_t i) { return LiteralLength(*text, i, replace.literal); },
          replace.content, text);
    case Pattern::kSpaces:
      return ApplyReplace([&](size_t i) { return SpacesLength(*text, i); },
                          replace.content, text);
    case Pattern::kWhiteSpace:
      break;
  }
  ApplyReplace([&](size_t i) { return WhiteSpaceLength(*text, i); },
               replace.content, text);
}

absl::StatusOr<Normalizer> Normalizer::Create(std::vector<Step> steps) {
  Normalizer normalizer;
  for (Step& step : steps) {
    if (const auto* map = std::get_if<Precompiled>(&step)) {
      absl::StatusOr<Charsmap> charsmap = Charsmap::Parse(map->charsmap);
      if (!charsmap.ok()) return charsmap.status();
      normalizer.actions_.emplace_back(*std::move(charsmap));
    } else if (const auto* replace = std::get_if<Replace>(&step)) {
      absl::StatusOr<CodePointReplace> compiled = Compile(*replace);
      if (!compiled.ok()) return compiled.status();
      normalizer.actions_.emplace_back(*std::move(compiled));
    } else if (const auto* strip = std::get_if<Strip>(&step)) {
      normalizer.actions_.emplace_back(*strip);
    } else if (std::holds_alternative<Nfc>(step)) {
      normalizer.actions_.emplace_back(Nfc{});
    } else {
      normalizer.actions_.emplace_back(Lowercase{});
    }
  }
  return normalizer;
}

NormalizedText Normalizer::Normalize(std::string_view stretch,
                                     uint32_t first_code_point) const {
  if (actions_.empty()) return AlignToItself(stretch, first_code_point);
  AlignedText text = Align(stretch, first_code_point);
  for (const Action& action : actions_) {
    if (const auto* strip = std::get_if<Strip>(&action)) {
      ApplyStrip(*strip, &text);
    } else if (const auto* map = std::get_if<Charsmap>(&action)) {
      ApplyCharsmap(*map, &text);
    } else if (const auto* replace = std::get_if<CodePointReplace>(&action)) {
      Apply(*replace, &text);
    } else if (std::holds_alternative<Nfc>(action)) {
      ApplyNfc(&text);
    } else {
      ApplyLowercase(&text);
    }
  }
  NormalizedText out;
  out.text.reserve(stretch.size());
  out.spans.reserve(stretch.size());
  for (const AlignedChar& c : text) {
    AppendUtf8(c.value, &out.text);
    out.spans.resize(out.text.size(), c.span);
  }
  return out;
}

size_t Normalizer::resident_bytes() const {
  size_t bytes = actions_.capacity() * sizeof(Action);
  for (const Action& action : actions_) {
    if (const auto* map = std::get_if<Charsmap>(&action)) {
      bytes += map->resident_bytes();
    }
  }
  return bytes;
}

}  // namespace deberta::tokenizer
