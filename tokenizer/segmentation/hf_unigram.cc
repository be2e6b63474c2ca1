#include "tokenizer/segmentation/hf_unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/encoding/token_ends.h"
#include "tokenizer/segmentation/byte_piece.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

std::vector<std::string_view> Views(
    const std::vector<std::pair<std::string, double>>& pieces) {
  std::vector<std::string_view> views;
  views.reserve(pieces.size());
  for (const auto& [text, score] : pieces) views.push_back(text);
  return views;
}

std::string ToUtf8(char32_t code_point) {
  std::string out;
  AppendUtf8(code_point, &out);
  return out;
}

absl::Status CheckPieces(const HfUnigramOptions& options) {
  const auto& pieces = options.pieces;
  if (pieces.empty() || pieces.size() > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Unigram: expected 1 to 2^31 - 1 pieces, got ", pieces.size()));
  }
  if (options.unk_id < 0 ||
      static_cast<size_t>(options.unk_id) >= pieces.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("Unigram: unk_id is ", options.unk_id, "; expected 0 to ",
                     pieces.size() - 1));
  }
  size_t total = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto& [text, score] = pieces[i];
    if (!std::isfinite(score)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "Unigram: the score of piece ", i, " is no finite number"));
    }
    if (text.size() > kMaxPieceBytes || FindInvalidUtf8(text)) {
      return absl::InvalidArgumentError(
          absl::StrCat("Unigram: piece ", i, " is not UTF-8 of at most ",
                       kMaxPieceBytes, " bytes"));
    }
    total += text.size();
  }
  if (total >= std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Unigram: the pieces have ", total, " bytes; expected less than 2^32"));
  }
  return absl::OkStatus();
}

}  // namespace

// Buffers that one Segment() call uses for all its words.
struct HfUnigram::Scratch {
  std::string text;         // a stretch after Metaspace
  std::vector<Span> spans;  // [text.size()]
  Viterbi<double> viterbi;
};

absl::StatusOr<std::unique_ptr<HfUnigram>> HfUnigram::Create(
    HfUnigramOptions options) {
  if (const absl::Status status = CheckPieces(options); !status.ok()) {
    return status;
  }
  return std::unique_ptr<HfUnigram>(new HfUnigram(std::move(options)));
}

HfUnigram::HfUnigram(HfUnigramOptions options)
    : unk_id_(options.unk_id),
      byte_fallback_(options.byte_fallback),
      split_by_punct_(options.split_by_punct),
      normalizer_(std::move(options.normalizer)),
      pre_tokenizer_(options.pre_tokenizer),
      decoder_(options.decoder),
      space_(ToUtf8(options.pre_tokenizer.replacement)),
      unk_score_(std::numeric_limits<double>::infinity()),
      trie_(Views(options.pieces)) {
  size_t total = 0;
  for (const auto& [text, score] : options.pieces) total += text.size();
  text_.reserve(total);
  begin_.reserve(options.pieces.size() + 1);
  scores_.reserve(options.pieces.size());
  for (const auto& [text, score] : options.pieces) {
    begin_.push_back(static_cast<uint32_t>(text_.size()));
    text_.append(text);
    scores_.push_back(score);
    unk_score_ = std::min(unk_score_, score);
  }
  begin_.push_back(static_cast<uint32_t>(text_.size()));
  unk_score_ -= kUnknownPenalty;
}

NormalizedText HfUnigram::Normalize(std::string_view stretch,
                                    uint32_t first_code_point) const {
  return normalizer_.Normalize(stretch, first_code_point);
}

void HfUnigram::Segment(const NormalizedText& normalized, int32_t* next_word,
                        TokenSequence* out) const {
  Scratch scratch;
  const std::string_view text = normalized.text;
  size_t begin = 0;
  if (split_by_punct_) {
    for (size_t i = 0; i < text.size();) {
      const size_t mark = i;
      if (!IsPunctuation(DecodeUtf8(text, &i))) continue;
      SegmentStretch(normalized, begin, mark, &scratch, next_word, out);
      SegmentStretch(normalized, mark, i, &scratch, next_word, out);
      begin = i;
    }
  }
  SegmentStretch(normalized, begin, text.size(), &scratch, next_word, out);
}

void HfUnigram::SegmentStretch(const NormalizedText& normalized, size_t begin,
                               size_t end, Scratch* scratch, int32_t* next_word,
                               TokenSequence* out) const {
  if (begin == end) return;
  std::string& text = scratch->text;
  std::vector<Span>& spans = scratch->spans;
  text.clear();
  spans.clear();
  const auto append = [&](std::string_view piece, Span span) {
    text.append(piece);
    spans.resize(text.size(), span);
  };

  using Scheme = Metaspace::PrependScheme;
  const std::string_view source = normalized.text;
  const Span first = normalized.spans[begin];
  const bool starts_with_space =
      source[begin] == ' ' ||
      source.substr(begin, end - begin).starts_with(space_);
  const Scheme scheme = pre_tokenizer_.prepend_scheme;
  if (!starts_with_space && (scheme == Scheme::kAlways ||
                             (scheme == Scheme::kFirst && first.start == 0))) {
    append(space_, first);
  }
  for (size_t i = begin; i < end; ++i) {
    append(source[i] == ' ' ? std::string_view(space_) : source.substr(i, 1),
           normalized.spans[i]);
  }

  for (size_t word = 0; word < text.size();) {
    const size_t next = pre_tokenizer_.split
                            ? std::min(text.find(space_, word + 1), text.size())
                            : text.size();
    SegmentWord(std::string_view(text).substr(word, next - word),
                std::span(spans).subspan(word, next - word), (*next_word)++,
                &scratch->viterbi, out);
    word = next;
  }
}

void HfUnigram::SegmentWord(std::string_view word, std::span<const Span> spans,
                            int32_t word_index, Viterbi<double>* viterbi,
                            TokenSequence* out) const {
  const auto pieces = viterbi->Segment({.trie = trie_,
                                        .scores = scores_,
                                        .unk_id = unk_id_,
                                        .unk_score = unk_score_,
                                        .fuses_unknown = true},
                                       word);
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    const Span span = {spans[piece->begin].start, spans[piece->end - 1].end};
    if (piece->id == unk_id_) {
      AppendUnknown(word.substr(piece->begin, piece->end - piece->begin), span,
                    word_index, out);
    } else {
      out->ids.push_back(piece->id);
      out->offsets.push_back(span);
      out->words.push_back(word_index);
    }
  }
}

void HfUnigram::AppendUnknown(std::string_view text, Span span,
                              int32_t word_index, TokenSequence* out) const {
  const size_t first = out->ids.size();
  // The reference looks the fused run up again.
  int32_t id = trie_.Find(text);
  if (id == ByteTrie::kNoId && byte_fallback_) {
    for (const char c : text) {
      id = trie_.Find(BytePiece(static_cast<unsigned char>(c)));
      if (id == ByteTrie::kNoId) {
        out->ids.resize(first);
        break;
      }
      out->ids.push_back(id);
    }
  }
  if (out->ids.size() == first) {
    out->ids.push_back(id == ByteTrie::kNoId ? unk_id_ : id);
    // Its token is its text.
    if (const TokenEnds ends = WhiteSpaceEnds(text); ends != TokenEnds())
      out->own_ends.push_back({.token = first, .ends = ends});
  }
  out->offsets.resize(out->ids.size(), span);
  out->words.resize(out->ids.size(), word_index);
}

std::string HfUnigram::Decode(std::span<const std::string_view> tokens) const {
  const bool drops_first =
      decoder_.prepend_scheme != Metaspace::PrependScheme::kNever;
  const std::string space = ToUtf8(decoder_.replacement);
  std::string out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view token = tokens[i];
    size_t begin = 0;
    for (size_t at; (at = token.find(space, begin)) != token.npos;
         begin = at + space.size()) {
      out.append(token.substr(begin, at - begin));
      if (i > 0 || !drops_first) out.push_back(' ');
    }
    out.append(token.substr(begin));
  }
  return out;
}

std::optional<int32_t> HfUnigram::TokenToId(std::string_view token) const {
  const int32_t id = trie_.Find(token);
  if (id == ByteTrie::kNoId) return std::nullopt;
  return id;
}

std::string_view HfUnigram::IdToToken(int32_t id) const {
  if (id < 0 || id >= vocab_size()) return {};
  const auto i = static_cast<size_t>(id);
  return std::string_view(text_).substr(begin_[i], begin_[i + 1] - begin_[i]);
}

int32_t HfUnigram::vocab_size() const {
  return static_cast<int32_t>(scores_.size());
}

size_t HfUnigram::resident_bytes() const {
  return sizeof(*this) + text_.capacity() +
         begin_.capacity() * sizeof(uint32_t) +
         scores_.capacity() * sizeof(double) + trie_.resident_bytes() +
         normalizer_.resident_bytes();
}

}  // namespace deberta::tokenizer
