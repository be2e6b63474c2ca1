#include "tokenizer/segmentation/sentencepiece_bpe.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/segmentation/piece_splits.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

using PieceType = SentencePieceModel::PieceType;

constexpr char32_t kSpaceSymbol = 0x2581;

// By score, the best first; equal scores are one rank.
class Ranks {
 public:
  explicit Ranks(const SentencePieceModel& model) {
    for (const auto& piece : model.pieces) scores_.push_back(piece.score);
    std::sort(scores_.begin(), scores_.end(), std::greater<>());
    scores_.erase(std::unique(scores_.begin(), scores_.end()), scores_.end());
  }
  int32_t Of(float score) const {
    return static_cast<int32_t>(std::lower_bound(scores_.begin(), scores_.end(),
                                                 score, std::greater<>()) -
                                scores_.begin());
  }

 private:
  std::vector<float> scores_;
};

// The longest piece that `text` begins with.
std::optional<FoundPiece> FindPrefix(const ByteTrie& trie,
                                     std::string_view text, size_t begin) {
  std::optional<FoundPiece> found;
  ByteTrie::Node node = ByteTrie::kRoot;
  for (size_t end = begin; end < text.size();) {
    node = trie.Child(node, static_cast<unsigned char>(text[end]));
    if (node == ByteTrie::kNone) break;
    ++end;
    if (trie.id(node) == ByteTrie::kNoId) continue;
    found = FoundPiece{begin, end, trie.id(node)};
  }
  return found;
}

void Append(const FoundPiece& piece, bool fuses,
            std::vector<FoundPiece>* pieces) {
  if (fuses && !pieces->empty() && pieces->back().id == piece.id) {
    pieces->back().end = piece.end;
  } else {
    pieces->push_back(piece);
  }
}

}  // namespace

absl::StatusOr<SentencePieceBpe> SentencePieceBpe::Create(
    const SentencePieceModel& model) {
  SentencePieceBpe bpe;
  bpe.piece_count_ = static_cast<int32_t>(model.pieces.size());
  std::vector<std::string_view> user_defined(model.pieces.size());
  bool any_user_defined = false;
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    const SentencePieceModel::Piece& piece = model.pieces[i];
    if (piece.type == PieceType::kUnused) {
      return absl::InvalidArgumentError(absl::StrCat(
          "piece ", i,
          ": expected no unused piece in a BPE model with the tokenizer "
          "profile \"spm\"; \"hf4\" takes it as any other"));
    }
    if (piece.type == PieceType::kUnknown)
      bpe.unk_id_ = static_cast<int32_t>(i);
    if (piece.type != PieceType::kUserDefined) continue;
    user_defined[i] = piece.text;
    any_user_defined = true;
  }
  if (any_user_defined) bpe.user_defined_.emplace(user_defined);
  const absl::Status status = bpe.AddMerges(model);
  if (!status.ok()) return status;
  return bpe;
}

absl::Status SentencePieceBpe::AddMerges(const SentencePieceModel& model) {
  std::vector<std::string_view> parts(model.pieces.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    if (model.pieces[i].type == PieceType::kNormal) {
      parts[i] = model.pieces[i].text;
    }
  }
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    size_t end = 0;
    if (parts[i].empty()) continue;
    const char32_t c = DecodeUtf8(parts[i], &end);
    if (end == parts[i].size()) characters_[c] = static_cast<int32_t>(i);
  }
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    const std::string_view text = parts[i];
    for (size_t at = 0; at < text.size();) {
      const size_t begin = at;
      const char32_t c = DecodeUtf8(text, &at);
      if (c == kSpaceSymbol && begin > 0) cuts_at_spaces_ = false;
      const auto id = static_cast<int32_t>(parts.size());
      if (!characters_.try_emplace(c, id).second) continue;
      parts.push_back(text.substr(begin, at - begin));
    }
  }
  PieceSplits splits(parts);
  const Ranks ranks(model);
  size_t merges = 0;
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    const int32_t rank = ranks.Of(model.pieces[i].score);
    for (const PieceSplits::Split& split : splits.Of(parts[i])) {
      if (++merges > PieceSplits::kMaxMerges) {
        return absl::InvalidArgumentError(
            absl::StrCat("pieces: expected at most ", PieceSplits::kMaxMerges,
                         " ways to merge two to one"));
      }
      merges_.Add(split.left, split.right, {rank, static_cast<int32_t>(i)});
    }
  }
  return absl::OkStatus();
}

void SentencePieceBpe::FlushSymbols(size_t begin, bool fuses_unknown,
                                    Workspace* workspace) const {
  merges_.Merge(&workspace->merges);
  for (const BpeMerges::Symbol& symbol : workspace->merges.symbols) {
    const size_t end = begin + symbol.bytes;
    const bool known = symbol.id >= 0 && symbol.id < piece_count_;
    Append({begin, end, known ? symbol.id : unk_id_}, fuses_unknown && !known,
           &workspace->pieces);
    begin = end;
  }
  workspace->merges.symbols.clear();
}

std::span<const FoundPiece> SentencePieceBpe::Segment(
    std::string_view text, bool fuses_unknown, Workspace* workspace) const {
  std::vector<BpeMerges::Symbol>& symbols = workspace->merges.symbols;
  symbols.clear();
  workspace->pieces.clear();
  size_t begin = 0;  // of the symbols
  for (size_t at = 0; at < text.size();) {
    if (user_defined_.has_value()) {
      if (const auto found = FindPrefix(*user_defined_, text, at)) {
        FlushSymbols(begin, fuses_unknown, workspace);
        workspace->pieces.push_back(*found);
        begin = at = found->end;
        continue;
      }
    }
    const size_t start = at;
    const char32_t c = DecodeUtf8(text, &at);
    if (c == kSpaceSymbol && cuts_at_spaces_) {
      FlushSymbols(begin, fuses_unknown, workspace);
      begin = start;
    }
    const auto known = characters_.find(c);
    symbols.push_back({known == characters_.end() ? -1 : known->second,
                       static_cast<uint32_t>(at - start)});
  }
  FlushSymbols(begin, fuses_unknown, workspace);
  std::reverse(workspace->pieces.begin(), workspace->pieces.end());
  return workspace->pieces;
}

size_t SentencePieceBpe::resident_bytes() const {
  return merges_.resident_bytes() +
         characters_.capacity() * (sizeof(*characters_.begin()) + 1) +
         (user_defined_ ? user_defined_->resident_bytes() : 0);
}

}  // namespace deberta::tokenizer
