#include "tokenizer/segmentation/sentencepiece_segmenter.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tokenizer/segmentation/byte_piece.h"
#include "tokenizer/segmentation/viterbi.h"
#include "tokenizer/text/absl_view.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

using PieceType = SentencePieceModel::PieceType;

// Decoded text has spaces for these, also where the model keeps spaces.
constexpr std::string_view kSpaceSymbol = "\u2581";

bool OccursInText(PieceType type) {
  return type == PieceType::kNormal || type == PieceType::kUserDefined ||
         type == PieceType::kUnused;
}

// So that user-defined pieces are always taken.
float UserDefinedScore(size_t bytes) {
  return static_cast<float>(0.1 * (static_cast<double>(bytes) - 1));
}

Normalizer MakeLowercase(bool do_lower_case) {
  std::vector<Normalizer::Step> steps;
  if (do_lower_case) steps.emplace_back(Normalizer::Lowercase{});
  // These steps have nothing that could be wrong.
  return *Normalizer::Create(std::move(steps));
}

SentencePieceNormalizer::Options NormalizerOptions(
    const SentencePieceModel& model) {
  SentencePieceNormalizer::Options options = {
      .precompiled_charsmap = model.precompiled_charsmap,
      .add_dummy_prefix = model.add_dummy_prefix,
      .remove_extra_whitespaces = model.remove_extra_whitespaces,
      .escape_whitespaces = model.escape_whitespaces,
      .treat_whitespace_as_suffix = model.treat_whitespace_as_suffix};
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    if (piece.type == PieceType::kUserDefined) {
      options.user_defined_pieces.push_back(piece.text);
    }
  }
  return options;
}

// The library gives up after each byte that is no part of UTF-8.
void AppendRepaired(std::string_view bytes, std::string* out) {
  while (!bytes.empty()) {
    const size_t good = FindInvalidUtf8(bytes).value_or(bytes.size());
    out->append(bytes.substr(0, good));
    bytes.remove_prefix(good);
    if (bytes.empty()) break;
    AppendUtf8(0xFFFD, out);
    bytes.remove_prefix(1);
  }
}

}  // namespace

struct SentencePieceSegmenter::Scratch {
  SentencePieceNormalizer::Output normalized;
  Viterbi<float> viterbi;
  SentencePieceBpe::Workspace bpe;
};

absl::StatusOr<std::unique_ptr<SentencePieceSegmenter>>
SentencePieceSegmenter::Create(SentencePieceModel model,
                               const SpmOptions& options) {
  const absl::Status known = model.CheckType();
  if (!known.ok()) return known;
  if (model.has_denormalizer) {
    return absl::InvalidArgumentError(
        "denormalizer_spec: a character map is not supported here");
  }
  auto normalizer = SentencePieceNormalizer::Create(NormalizerOptions(model));
  if (!normalizer.ok()) return normalizer.status();
  model.precompiled_charsmap.clear();
  std::unique_ptr<SentencePieceSegmenter> sentence_piece(
      new SentencePieceSegmenter(std::move(model), options,
                                 *std::move(normalizer)));
  const absl::Status status = sentence_piece->AddPieces();
  if (!status.ok()) return status;
  return sentence_piece;
}

SentencePieceSegmenter::SentencePieceSegmenter(
    SentencePieceModel model, const SpmOptions& options,
    SentencePieceNormalizer normalizer)
    : model_(std::move(model)),
      split_by_punct_(options.split_by_punct),
      lowercase_(MakeLowercase(options.do_lower_case)),
      normalizer_(std::move(normalizer)) {}

absl::Status SentencePieceSegmenter::AddPieces() {
  const auto refuse = [](size_t i, const char* expected) {
    return absl::InvalidArgumentError(
        absl::StrCat("piece ", i, ": expected ", expected));
  };
  float min_score = std::numeric_limits<float>::max();
  byte_ids_.fill(-1);
  unk_id_ = -1;
  std::vector<std::string_view> in_text;
  for (size_t i = 0; i < model_.pieces.size(); ++i) {
    const auto& [text, score, type] = model_.pieces[i];
    const auto id = static_cast<int32_t>(i);
    if (text.empty() || text.size() > kMaxPieceBytes) {
      return refuse(i, "1 to 4096 bytes");
    }
    const bool occurs = OccursInText(type);
    Ids& ids = occurs ? ids_ : reserved_;
    if (!ids.emplace(ToAbsl(text), id).second) {
      return refuse(i, "text that no earlier piece has");
    }
    const bool found = occurs && type != PieceType::kUnused;
    in_text.push_back(found ? std::string_view(text) : std::string_view());
    scores_.push_back(type == PieceType::kUserDefined
                          ? UserDefinedScore(text.size())
                          : score);
    if (type == PieceType::kNormal) {
      min_score = std::min(min_score, score);
    } else if (type == PieceType::kUnknown) {
      if (unk_id_ >= 0) return refuse(i, "only one unknown piece");
      unk_id_ = id;
    } else if (type == PieceType::kByte && !model_.byte_fallback) {
      return refuse(i, "no byte piece without byte_fallback");
    }
  }
  if (unk_id_ < 0) {
    return absl::InvalidArgumentError("expected an unknown piece, found none");
  }
  const absl::Status status = AddBytePieces();
  if (!status.ok()) return status;
  if (model_.model_type == SentencePieceModel::kBpeModelType) {
    scores_ = {};
    auto bpe = SentencePieceBpe::Create(model_);
    if (!bpe.ok()) return bpe.status();
    bpe_ = *std::move(bpe);
    return absl::OkStatus();
  }
  unk_score_ = min_score - kUnknownPenalty;
  trie_.emplace(in_text);
  return absl::OkStatus();
}

absl::Status SentencePieceSegmenter::AddBytePieces() {
  for (size_t byte = 0; model_.byte_fallback && byte < 256; ++byte) {
    const std::string piece = BytePiece(static_cast<unsigned char>(byte));
    const auto found = reserved_.find(piece);
    if (found == reserved_.end() ||
        model_.pieces[static_cast<size_t>(found->second)].type !=
            PieceType::kByte) {
      return absl::InvalidArgumentError(
          absl::StrCat("byte_fallback: expected the byte piece ", piece));
    }
    byte_ids_[byte] = found->second;
  }
  return absl::OkStatus();
}

NormalizedText SentencePieceSegmenter::Normalize(
    std::string_view stretch, uint32_t first_code_point) const {
  return lowercase_.Normalize(stretch, first_code_point);
}

void SentencePieceSegmenter::Segment(const NormalizedText& normalized,
                                     int32_t* next_word,
                                     TokenSequence* out) const {
  Scratch scratch;
  const std::string_view text = normalized.text;
  size_t begin = 0;
  for (size_t i = 0; split_by_punct_ && i < text.size();) {
    const size_t mark = i;
    if (!IsNewestPunctuation(DecodeUtf8(text, &i))) continue;
    SegmentPart(normalized, begin, mark, &scratch, next_word, out);
    SegmentPart(normalized, mark, i, &scratch, next_word, out);
    begin = i;
  }
  SegmentPart(normalized, begin, text.size(), &scratch, next_word, out);
}

void SentencePieceSegmenter::SegmentPart(const NormalizedText& source,
                                         size_t begin, size_t end,
                                         Scratch* scratch, int32_t* next_word,
                                         TokenSequence* out) const {
  normalizer_.Normalize(
      std::string_view(source.text).substr(begin, end - begin),
      &scratch->normalized);
  const std::string_view text = scratch->normalized.text;
  if (text.empty()) return;
  AppendPieces(source, begin, scratch->normalized, FindPieces(text, scratch),
               next_word, out);
}

std::span<const FoundPiece> SentencePieceSegmenter::FindPieces(
    std::string_view text, Scratch* scratch) const {
  // Else they become bytes, one by one.
  const bool fuses_unknown = !model_.byte_fallback;
  if (bpe_.has_value()) {
    return bpe_->Segment(text, fuses_unknown, &scratch->bpe);
  }
  return scratch->viterbi.Segment({.trie = *trie_,
                                   .scores = scores_,
                                   .unk_id = unk_id_,
                                   .unk_score = unk_score_,
                                   .fuses_unknown = fuses_unknown},
                                  text);
}

void SentencePieceSegmenter::AppendPieces(
    const NormalizedText& source, size_t begin,
    const SentencePieceNormalizer::Output& normalized,
    std::span<const FoundPiece> pieces, int32_t* next_word,
    TokenSequence* out) const {
  // Of the original text, for the bytes [first, last) of the source.
  const auto span_of = [&](size_t first, size_t last) -> Span {
    const uint32_t start = first < source.spans.size()
                               ? source.spans[first].start
                               : source.spans.back().end;
    return {start, last > first ? source.spans[last - 1].end : start};
  };
  const std::string_view text = normalized.text;
  const std::vector<uint32_t>& origins = normalized.origins;
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    const std::string_view piece_text =
        text.substr(piece->begin, piece->end - piece->begin);
    if (piece == pieces.rbegin() || piece_text.starts_with(kSpaceSymbol)) {
      ++*next_word;
    }
    const size_t first = begin + origins[piece->begin];
    const Span span = span_of(first, begin + origins[piece->end]);
    if (piece->id == unk_id_ && model_.byte_fallback) {
      for (const char c : piece_text) {
        out->ids.push_back(byte_ids_[static_cast<unsigned char>(c)]);
        out->offsets.push_back(span_of(first, first));
      }
      out->offsets.back() = span;
    } else {
      // transformers looks an unknown piece's text up again.
      out->ids.push_back(piece->id == unk_id_ ? LookUp(piece_text) : piece->id);
      out->offsets.push_back(span);
    }
    out->words.resize(out->ids.size(), *next_word - 1);
  }
}

int32_t SentencePieceSegmenter::LookUp(std::string_view piece) const {
  return TokenToId(piece).value_or(unk_id_);
}

std::string SentencePieceSegmenter::Decode(
    std::span<const std::string_view> tokens) const {
  std::string out;
  std::string bytes;  // of a run of byte pieces
  bool at_start = true;
  bool dropped_space = false;  // and nothing written since
  const auto flush = [&] {
    AppendRepaired(bytes, &out);
    bytes.clear();
  };
  for (std::string_view token : tokens) {
    const int32_t id = LookUp(token);
    const PieceType type = model_.pieces[static_cast<size_t>(id)].type;
    if (type == PieceType::kByte) {
      bytes.push_back(
          static_cast<char>(std::find(byte_ids_.begin(), byte_ids_.end(), id) -
                            byte_ids_.begin()));
      continue;
    }
    flush();
    if (dropped_space || !out.empty()) at_start = false;
    dropped_space = false;
    if (type == PieceType::kControl) continue;
    if (type == PieceType::kUnknown) {
      out.append(IdToToken(id) == token ? model_.unk_surface : token);
      continue;
    }
    if (at_start &&
        (model_.add_dummy_prefix || model_.remove_extra_whitespaces) &&
        token.starts_with(kSpaceSymbol)) {
      token.remove_prefix(kSpaceSymbol.size());
      dropped_space = !model_.remove_extra_whitespaces;
    }
    out.append(
        absl::StrReplaceAll(ToAbsl(token), {{ToAbsl(kSpaceSymbol), " "}}));
  }
  flush();
  return out;
}

std::optional<int32_t> SentencePieceSegmenter::TokenToId(
    std::string_view token) const {
  for (const Ids* ids : {&reserved_, &ids_}) {
    const auto found = ids->find(ToAbsl(token));
    if (found != ids->end()) return found->second;
  }
  return std::nullopt;
}

std::string_view SentencePieceSegmenter::IdToToken(int32_t id) const {
  if (id < 0 || id >= vocab_size()) return {};
  return model_.pieces[static_cast<size_t>(id)].text;
}

int32_t SentencePieceSegmenter::vocab_size() const {
  return static_cast<int32_t>(model_.pieces.size());
}

size_t SentencePieceSegmenter::resident_bytes() const {
  size_t bytes = sizeof(*this) + normalizer_.resident_bytes() +
                 (trie_ ? trie_->resident_bytes() : 0) +
                 (bpe_ ? bpe_->resident_bytes() : 0) +
                 scores_.capacity() * sizeof(float) +
                 model_.pieces.capacity() * sizeof(SentencePieceModel::Piece);
  for (const SentencePieceModel::Piece& piece : model_.pieces) {
    // Short strings lie in the piece.
    if (piece.text.capacity() >= sizeof(std::string)) {
      bytes += piece.text.capacity();
    }
  }
  for (const Ids* ids : {&ids_, &reserved_}) {
    bytes += ids->capacity() * (sizeof(Ids::value_type) + 1);
  }
  return bytes;
}

}  // namespace deberta::tokenizer
