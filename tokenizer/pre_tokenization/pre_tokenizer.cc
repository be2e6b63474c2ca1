#include "tokenizer/pre_tokenization/pre_tokenizer.h"

#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "tokenizer/pre_tokenization/byte_level.h"
#include "tokenizer/pre_tokenization/piece_cutter.h"
#include "tokenizer/text/unicode.h"
#include "tokenizer/text/unicode_script.h"

namespace deberta::tokenizer {
namespace {

// A piece of its own text, which a step changed.
struct Rewritten {
  std::string text;
  std::vector<Span> spans;

  void Append(std::string_view part, Span span) {
    text.append(part);
    spans.resize(text.size(), span);
  }
  PieceView view() const { return {text, spans}; }
};

void Apply(const PreTokenizer::Characters& step, const PieceView& piece,
           PreTokenizedText* out) {
  PieceCutter cutter(step.behavior, piece, out);
  size_t done = 0;
  for (size_t i = 0; i < piece.text.size();) {
    const size_t begin = i;
    if (!step.is_delimiter(DecodeUtf8(piece.text, &i))) continue;
    cutter.Add(done, begin, false);
    cutter.Add(begin, i, true);
    done = i;
  }
  cutter.Add(done, piece.text.size(), false);
}

std::optional<Regex::Match> Find(const PreTokenizer::Split& step,
                                 std::string_view text, size_t from) {
  if (const auto* regex = std::get_if<Regex>(&step.pattern)) {
    return regex->Find(text, from);
  }
  const auto& literal = std::get<std::string>(step.pattern);
  const size_t found = text.find(literal, from);
  if (found == std::string_view::npos) return std::nullopt;
  return Regex::Match{found, found + literal.size()};
}

void Apply(const PreTokenizer::Split& step, const PieceView& piece,
           PreTokenizedText* out) {
  PieceCutter cutter(step.behavior, piece, out);
  size_t done = 0;
  while (const auto match = Find(step, piece.text, done)) {
    cutter.Add(done, match->begin, step.invert);
    cutter.Add(match->begin, match->end, !step.invert);
    done = match->end;
  }
  cutter.Add(done, piece.text.size(), step.invert);
}

void Apply(const PreTokenizer::Whitespace& /*step*/, const PieceView& piece,
           PreTokenizedText* out) {
  enum Kind { kSpace, kWord, kOther };
  const auto kind_of = [](char32_t c) {
    if (IsWordCharacter(c)) return kWord;
    return IsWhiteSpace(c) ? kSpace : kOther;
  };
  size_t begin = 0;
  Kind last = kSpace;
  for (size_t i = 0; i < piece.text.size();) {
    const size_t at = i;
    const Kind kind = kind_of(DecodeUtf8(piece.text, &i));
    if (kind == last) continue;
    if (last != kSpace) AppendPiece(piece, begin, at, out);
    begin = at;
    last = kind;
  }
  if (last != kSpace) AppendPiece(piece, begin, piece.text.size(), out);
}

void Apply(const PreTokenizer::UnicodeScripts& /*step*/, const PieceView& piece,
           PreTokenizedText* out) {
  size_t begin = 0;
  uint8_t last = 0;
  for (size_t i = 0; i < piece.text.size();) {
    const size_t at = i;
    const uint8_t script = ScriptOf(DecodeUtf8(piece.text, &i));
    if (script == 0 || script == last) continue;
    if (last != 0) AppendPiece(piece, begin, at, out);
    begin = at;
    last = script;
  }
  if (last != 0) AppendPiece(piece, begin, piece.text.size(), out);
}

void Apply(const Metaspace& step, const PieceView& piece,
           PreTokenizedText* out) {
  std::string space;
  AppendUtf8(step.replacement, &space);
  Rewritten spelled;
  const bool starts_with_space =
      piece.text.starts_with(' ') || piece.text.starts_with(space);
  const Span first = piece.spans.front();
  if (!starts_with_space &&
      (step.prepend_scheme == Metaspace::PrependScheme::kAlways ||
       (step.prepend_scheme == Metaspace::PrependScheme::kFirst &&
        first.start == 0))) {
    spelled.Append(space, first);
  }
  for (size_t i = 0; i < piece.text.size(); ++i) {
    spelled.Append(piece.text[i] == ' ' ? std::string_view(space)
                                        : piece.text.substr(i, 1),
                   piece.spans[i]);
  }
  const PieceView all = spelled.view();
  if (!step.split) return AppendPiece(all, 0, all.text.size(), out);
  Apply(
      PreTokenizer::Split{.pattern = space,
                          .behavior = PreTokenizer::Behavior::kMergedWithNext},
      all, out);
}

void Apply(const PreTokenizer::ByteLevel& step, const PieceView& piece,
           PreTokenizedText* out) {
  Rewritten prefixed;
  PieceView all = piece;
  if (step.add_prefix_space && !piece.text.starts_with(' ')) {
    prefixed.Append(" ", piece.spans.front());
    prefixed.text.append(piece.text);
    prefixed.spans.insert(prefixed.spans.end(), piece.spans.begin(),
                          piece.spans.end());
    all = prefixed.view();
  }
  for (size_t begin = 0; begin < all.text.size();) {
    const size_t end =
        step.use_regex ? PieceEnd(all.text, begin) : all.text.size();
    Rewritten spelled;
    for (size_t i = begin; i < end; ++i) {
      std::string character;
      AppendUtf8(ByteCharacter(all.text[i]), &character);
      spelled.Append(character, all.spans[i]);
    }
    AppendPiece(spelled.view(), 0, spelled.text.size(), out);
    begin = end;
  }
}

}  // namespace

PreTokenizedText PreTokenizer::Apply(const NormalizedText& text) const {
  PreTokenizedText pieces{.text = text, .ends = {}};
  if (!text.text.empty()) pieces.ends.push_back(text.text.size());
  for (const Step& step : steps_) {
    PreTokenizedText next;
    next.text.text.reserve(pieces.text.text.size());
    next.text.spans.reserve(pieces.text.text.size());
    size_t begin = 0;
    for (const size_t end : pieces.ends) {
      const PieceView piece = {
          std::string_view(pieces.text.text).substr(begin, end - begin),
          std::span(pieces.text.spans).subspan(begin, end - begin)};
      std::visit(
          [&](const auto& kind) { tokenizer::Apply(kind, piece, &next); },
          step);
      begin = end;
    }
    pieces = std::move(next);
  }
  return pieces;
}

size_t PreTokenizer::resident_bytes() const {
  size_t bytes = steps_.capacity() * sizeof(Step);
  for (const Step& step : steps_) {
    const auto* split = std::get_if<Split>(&step);
    if (split == nullptr) continue;
    if (const auto* regex = std::get_if<Regex>(&split->pattern))
      bytes += regex->resident_bytes();
  }
  return bytes;
}

}  // namespace deberta::tokenizer
