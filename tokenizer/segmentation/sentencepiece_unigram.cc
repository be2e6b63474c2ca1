#include "tokenizer/segmentation/sentencepiece_unigram.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

using PieceType = SpmModel::PieceType;

// What an unknown character costs beyond the worst piece.
constexpr float kUnknownPenalty = 10.0F;

// Keeps the work for a text linear whatever the vocabulary says.
constexpr size_t kMaxPieceBytes = 4096;

// Decoded text has spaces for these, also where the model keeps spaces.
constexpr std::string_view kSpaceSymbol = "\u2581";

absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}

std::string BytePiece(size_t byte) {
  char piece[sizeof("<0xNN>")];
  std::snprintf(piece, sizeof(piece), "<0x%02X>",
                static_cast<unsigned>(byte & 0xFF));
  return piece;
}

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

struct SentencePiece::Scratch {
  struct PathNode {
    float score;
    int32_t start;  // of the last piece; -1 without a path
    int32_t id;
  };
  struct Piece {
    size_t begin;
    size_t end;
    int32_t id;
  };

  SpmNormalizer::Output normalized;
  std::vector<PathNode> path;
  std::vector<Piece> pieces;  // last first
};

absl::StatusOr<std::unique_ptr<SentencePiece>> SentencePiece::Create(
    SpmModel model, const SpmOptions& options) {
  if (model.model_type != SpmModel::kUnigramModelType) {
    return absl::InvalidArgumentError(absl::StrCat(
        "trainer_spec.model_type: expected ", SpmModel::kUnigramModelType,
        " (Unigram), got ", model.model_type));
  }
  if (model.has_denormalizer) {
    return absl::InvalidArgumentError(
        "denormalizer_spec: a character map is not supported here");
  }
  auto normalizer = SpmNormalizer::Create(model);
  if (!normalizer.ok()) return normalizer.status();
  model.precompiled_charsmap.clear();
  std::unique_ptr<SentencePiece> sentence_piece(
      new SentencePiece(std::move(model), options, *std::move(normalizer)));
  const absl::Status status = sentence_piece->AddPieces();
  if (!status.ok()) return status;
  return sentence_piece;
}

SentencePiece::SentencePiece(SpmModel model, const SpmOptions& options,
                             SpmNormalizer normalizer)
    : model_(std::move(model)),
      split_by_punct_(options.split_by_punct),
      lowercase_(MakeLowercase(options.do_lower_case)),
      normalizer_(std::move(normalizer)) {}

absl::Status SentencePiece::AddPieces() {
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
  for (size_t byte = 0; model_.byte_fallback && byte < 256; ++byte) {
    const auto found = reserved_.find(BytePiece(byte));
    if (found == reserved_.end() ||
        model_.pieces[static_cast<size_t>(found->second)].type !=
            PieceType::kByte) {
      return absl::InvalidArgumentError(absl::StrCat(
          "byte_fallback: expected the byte piece ", BytePiece(byte)));
    }
    byte_ids_[byte] = found->second;
  }
  unk_score_ = min_score - kUnknownPenalty;
  trie_.emplace(in_text);
  return absl::OkStatus();
}

NormalizedText SentencePiece::Normalize(std::string_view stretch,
                                        uint32_t first_code_point) const {
  return lowercase_.Normalize(stretch, first_code_point);
}

void SentencePiece::Segment(const NormalizedText& normalized,
                            int32_t* next_word, TokenSequence* out) const {
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

// Long texts: before a sum loses its precision, what was reached is moved
// towards zero.
void SentencePiece::KeepPrecise(size_t start, size_t frontier,
                                Scratch* scratch) const {
  constexpr float kScoreResetThreshold = 100000.0F;
  auto& path = scratch->path;
  const float offset = path[start].score;
  if (std::abs(offset) <= kScoreResetThreshold) return;
  for (size_t i = start; i <= frontier; ++i) {
    if (i == start || path[i].start >= 0) path[i].score -= offset;
  }
  path[start].score = 0;
}

void SentencePiece::FindPath(std::string_view text, Scratch* scratch) const {
  auto& path = scratch->path;
  path.assign(text.size() + 1, {0, -1, -1});
  size_t frontier = 0;  // the last end reached
  for (size_t start = 0; start < text.size();) {
    KeepPrecise(start, frontier, scratch);
    const auto offer = [&](size_t end, float score, int32_t id) {
      const float total = score + path[start].score;
      frontier = std::max(frontier, end);
      // Only a better path replaces one: the earliest start wins ties.
      Scratch::PathNode& node = path[end];
      if (node.start < 0 || total > node.score) {
        node = {total, static_cast<int32_t>(start), id};
      }
    };
    const size_t next = start + Utf8Length(text[start]);
    bool covered = false;  // one piece is exactly this character
    PieceTrie::Node node = PieceTrie::kRoot;
    for (size_t end = start; end < text.size();) {
      node = trie_->Child(node, static_cast<unsigned char>(text[end]));
      if (node == PieceTrie::kNone) break;
      ++end;
      const int32_t id = trie_->id(node);
      if (id == PieceTrie::kNoId) continue;
      offer(end, scores_[static_cast<size_t>(id)], id);
      covered = covered || end == next;
    }
    if (!covered) offer(next, unk_score_, unk_id_);
    start = next;
  }
}

void SentencePiece::SegmentPart(const NormalizedText& source, size_t begin,
                                size_t end, Scratch* scratch,
                                int32_t* next_word, TokenSequence* out) const {
  normalizer_.Normalize(
      std::string_view(source.text).substr(begin, end - begin),
      &scratch->normalized);
  const std::string_view text = scratch->normalized.text;
  if (text.empty()) return;
  FindPath(text, scratch);
  Backtrack(text.size(), scratch);
  AppendPieces(source, begin, *scratch, next_word, out);
}

void SentencePiece::Backtrack(size_t size, Scratch* scratch) const {
  auto& pieces = scratch->pieces;
  pieces.clear();
  for (size_t at = size; at > 0;) {
    const Scratch::PathNode& node = scratch->path[at];
    const auto start = static_cast<size_t>(node.start);
    // Unknown characters side by side are one piece, unless they become bytes.
    if (node.id == unk_id_ && !model_.byte_fallback && !pieces.empty() &&
        pieces.back().id == unk_id_) {
      pieces.back().begin = start;
    } else {
      pieces.push_back({start, at, node.id});
    }
    at = start;
  }
}

void SentencePiece::AppendPieces(const NormalizedText& source, size_t begin,
                                 const Scratch& scratch, int32_t* next_word,
                                 TokenSequence* out) const {
  // Of the original text, for the bytes [first, last) of the source.
  const auto span_of = [&](size_t first, size_t last) -> Span {
    const uint32_t start = first < source.spans.size()
                               ? source.spans[first].start
                               : source.spans.back().end;
    return {start, last > first ? source.spans[last - 1].end : start};
  };
  const std::string_view text = scratch.normalized.text;
  const std::vector<uint32_t>& origins = scratch.normalized.origins;
  const auto& pieces = scratch.pieces;
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

int32_t SentencePiece::LookUp(std::string_view piece) const {
  return TokenToId(piece).value_or(unk_id_);
}

std::string SentencePiece::Decode(
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

std::optional<int32_t> SentencePiece::TokenToId(std::string_view token) const {
  for (const Ids* ids : {&reserved_, &ids_}) {
    const auto found = ids->find(ToAbsl(token));
    if (found != ids->end()) return found->second;
  }
  return std::nullopt;
}

std::string_view SentencePiece::IdToToken(int32_t id) const {
  if (id < 0 || id >= vocab_size()) return {};
  return model_.pieces[static_cast<size_t>(id)].text;
}

int32_t SentencePiece::vocab_size() const {
  return static_cast<int32_t>(model_.pieces.size());
}

size_t SentencePiece::resident_bytes() const {
  size_t bytes = sizeof(*this) + normalizer_.resident_bytes() +
                 trie_->resident_bytes() + scores_.capacity() * sizeof(float) +
                 model_.pieces.capacity() * sizeof(SpmModel::Piece);
  for (const SpmModel::Piece& piece : model_.pieces) {
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
