#include "tokenizer/normalization/normalizer.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/normalization/aligned_text.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/grapheme.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

constexpr std::string_view kSpacesRegex = " {2,}";
constexpr std::string_view kWhiteSpaceRegex = "\\s{2,}|[\\n\\r\\t]";

// Of a pattern or its content: keeps the work for a text linear.
constexpr size_t kMaxReplaceBytes = 256;
constexpr size_t kMaxSteps = 32;
constexpr size_t kMaxGrowth = 12;
// Every stretch between two added tokens gets them.
constexpr size_t kMaxPrependBytes = 32;

std::u32string ToCodePoints(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) out.push_back(DecodeUtf8(text, &i));
  return out;
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

// Matches of a regular expression; new characters take the span of the last one
// replaced.
void ApplyReplaceRegex(const Regex& regex, const std::u32string& content,
                       AlignedText* text) {
  std::string bytes;
  bytes.reserve(text->size());
  for (const AlignedChar& c : *text) AppendUtf8(c.value, &bytes);
  AlignedText out;
  out.reserve(text->size());
  size_t at = 0;    // of `text`
  size_t byte = 0;  // of `bytes`
  while (const auto match = regex.Find(bytes, byte)) {
    const size_t kept = CountCodePoints(
        std::string_view(bytes).substr(byte, match->begin - byte));
    const size_t replaced = CountCodePoints(std::string_view(bytes).substr(
        match->begin, match->end - match->begin));
    out.insert(out.end(), text->data() + at, text->data() + at + kept);
    at += kept + replaced;
    for (const char32_t c : content) out.push_back({c, (*text)[at - 1].span});
    byte = match->end;
  }
  out.insert(out.end(), text->data() + at, text->data() + text->size());
  *text = std::move(out);
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

void ApplyPrepend(const std::u32string& content, AlignedText* text) {
  if (text->empty()) return;
  const Span first = text->front().span;
  AlignedText out;
  out.reserve(content.size() + text->size());
  for (const char32_t c : content) out.push_back({c, first});
  out.insert(out.end(), text->begin(), text->end());
  *text = std::move(out);
}

// How many characters a step whose text a file chooses may make of one.
size_t GrowthOf(const Normalizer::Step& step) {
  if (const auto* replace = std::get_if<Normalizer::Replace>(&step)) {
    const size_t least =
        replace->regex ? 1
                       : std::max<size_t>(1, CountCodePoints(replace->pattern));
    const size_t most = CountCodePoints(replace->content);
    return std::max<size_t>(1, (most + least - 1) / least);
  }
  if (const auto* prepend = std::get_if<Normalizer::Prepend>(&step)) {
    return 1 + CountCodePoints(prepend->content);
  }
  const auto* bert = std::get_if<BertNormalizer>(&step);
  return bert != nullptr && bert->handle_chinese_chars ? 3 : 1;
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
  for (const std::string& text : {replace.pattern, replace.content}) {
    if (text.size() <= kMaxReplaceBytes && !FindInvalidUtf8(text)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "normalizer Replace: pattern and content must be UTF-8 of at most ",
        kMaxReplaceBytes, " bytes"));
  }
  if (replace.pattern.empty()) {
    return absl::InvalidArgumentError(
        "normalizer Replace: expected a pattern that is not empty");
  }
  CodePointReplace compiled{.literal = ToCodePoints(replace.pattern),
                            .regex = std::nullopt,
                            .content = ToCodePoints(replace.content)};
  if (!replace.regex) return compiled;
  if (replace.pattern == kSpacesRegex) {
    compiled.kind = Pattern::kSpaces;
  } else if (replace.pattern == kWhiteSpaceRegex) {
    compiled.kind = Pattern::kWhiteSpace;
  } else {
    absl::StatusOr<Regex> regex = Regex::Compile(replace.pattern);
    if (!regex.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("normalizer Replace: ", regex.status().message()));
    }
    compiled.kind = Pattern::kRegex;
    compiled.regex = *std::move(regex);
  }
  return compiled;
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
      return ApplyReplace([&](size_t i) { return WhiteSpaceLength(*text, i); },
                          replace.content, text);
    case Pattern::kRegex:
      return ApplyReplaceRegex(*replace.regex, replace.content, text);
  }
}

absl::StatusOr<Normalizer::Action> Normalizer::Compile(Step step) {
  if (const auto* map = std::get_if<Precompiled>(&step)) {
    return Charsmap::Parse(map->charsmap);
  }
  if (const auto* replace = std::get_if<Replace>(&step)) {
    return Compile(*replace);
  }
  if (const auto* prepend = std::get_if<Prepend>(&step)) {
    const std::string& content = prepend->content;
    if (content.empty() || content.size() > kMaxPrependBytes ||
        FindInvalidUtf8(content)) {
      return absl::InvalidArgumentError(
          absl::StrCat("normalizer Prepend: expected UTF-8 of 1 to ",
                       kMaxPrependBytes, " bytes"));
    }
    return CodePointPrepend{ToCodePoints(content)};
  }
  if (const auto* strip = std::get_if<Strip>(&step)) return *strip;
  if (const auto* bert = std::get_if<BertNormalizer>(&step)) return *bert;
  if (const auto* form = std::get_if<NormalizationForm>(&step)) return *form;
  if (std::holds_alternative<StripAccents>(step)) return StripAccents{};
  if (std::holds_alternative<Nmt>(step)) return Nmt{};
  if (std::holds_alternative<PythonBert>(step)) return PythonBert{};
  return Lowercase{};
}

absl::StatusOr<Normalizer> Normalizer::Create(std::vector<Step> steps) {
  if (steps.size() > kMaxSteps) {
    return absl::InvalidArgumentError(
        absl::StrCat("normalizer: expected at most ", kMaxSteps, " steps, got ",
                     steps.size()));
  }
  Normalizer normalizer;
  size_t growth = 1;
  for (Step& step : steps) {
    growth *= GrowthOf(step);
    absl::StatusOr<Action> action = Compile(std::move(step));
    if (!action.ok()) return action.status();
    if (growth > kMaxGrowth) {
      return absl::InvalidArgumentError(absl::StrCat(
          "normalizer: expected Replace, Prepend and BertNormalizer to make a "
          "text at most ",
          kMaxGrowth, " times as long, got ", growth, " times"));
    }
    normalizer.actions_.push_back(*std::move(action));
  }
  return normalizer;
}

void Normalizer::Apply(const Action& action, AlignedText* text) {
  if (const auto* strip = std::get_if<Strip>(&action)) {
    ApplyStrip(*strip, text);
  } else if (const auto* map = std::get_if<Charsmap>(&action)) {
    ApplyCharsmap(*map, text);
  } else if (const auto* replace = std::get_if<CodePointReplace>(&action)) {
    Apply(*replace, text);
  } else if (const auto* prepend = std::get_if<CodePointPrepend>(&action)) {
    ApplyPrepend(prepend->content, text);
  } else if (const auto* form = std::get_if<NormalizationForm>(&action)) {
    ApplyForm(*form, text);
  } else if (const auto* bert = std::get_if<BertNormalizer>(&action)) {
    ApplyBert(*bert, text);
  } else if (std::holds_alternative<StripAccents>(action)) {
    ApplyStripAccents(text);
  } else if (std::holds_alternative<Nmt>(action)) {
    ApplyNmt(text);
  } else if (std::holds_alternative<PythonBert>(action)) {
    ApplyPythonBert(text);
  } else {
    ApplyLowercase(text);
  }
}

NormalizedText Normalizer::Normalize(std::string_view stretch,
                                     uint32_t first_code_point) const {
  if (actions_.empty()) return AlignToItself(stretch, first_code_point);
  AlignedText text = Align(stretch, first_code_point);
  for (const Action& action : actions_) Apply(action, &text);
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
    const auto* replace = std::get_if<CodePointReplace>(&action);
    if (replace != nullptr && replace->regex.has_value())
      bytes += replace->regex->resident_bytes();
  }
  return bytes;
}

}  // namespace deberta::tokenizer
