#include "tokenizer/segmentation/bpe.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/segmentation/byte_piece.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// Of what is put around each character.
constexpr size_t kMaxAffixBytes = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<Bpe>> Bpe::Create(const BpeOptions& options) {
  std::unique_ptr<Bpe> bpe(new Bpe());
  absl::StatusOr<Vocabulary> vocabulary =
      Vocabulary::Create(options.vocabulary);
  if (!vocabulary.ok()) return vocabulary.status();
  bpe->vocabulary_ = *std::move(vocabulary);
  if (options.unk_token.has_value()) {
    const auto unk_id = bpe->vocabulary_.TokenToId(*options.unk_token);
    if (!unk_id.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("unk_token: expected a token of the vocabulary, got \"",
                       Excerpt(*options.unk_token), "\""));
    }
    bpe->unk_id_ = *unk_id;
  }
  for (const std::string* affix :
       {&options.continuing_subword_prefix, &options.end_of_word_suffix}) {
    if (affix->size() <= kMaxAffixBytes) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "continuing_subword_prefix, end_of_word_suffix: expected at most ",
        kMaxAffixBytes, " bytes, got ", affix->size()));
  }
  const bool affixed = !options.continuing_subword_prefix.empty() ||
                       !options.end_of_word_suffix.empty();
  if (options.byte_fallback && affixed) {
    return absl::InvalidArgumentError(
        "byte_fallback: expected false with a continuing_subword_prefix or an "
        "end_of_word_suffix");
  }
  bpe->prefix_ = options.continuing_subword_prefix;
  bpe->suffix_ = options.end_of_word_suffix;
  bpe->fuse_unk_ = options.fuse_unk;
  bpe->byte_fallback_ = options.byte_fallback;
  bpe->ignore_merges_ = options.ignore_merges;
  for (size_t b = 0; b < bpe->byte_ids_.size(); ++b) {
    bpe->byte_ids_[b] =
        bpe->vocabulary_.TokenToId(BytePiece(static_cast<unsigned char>(b)))
            .value_or(-1);
  }
  const absl::Status status =
      bpe->merges_.Add(options.merges, bpe->prefix_.size(), bpe->vocabulary_);
  if (!status.ok()) return status;
  auto rank = static_cast<int32_t>(options.merges.size());
  for (const auto& [left, right, joined] : options.merges_by_id) {
    bpe->merges_.Add(left, right, {rank++, joined});
  }
  return bpe;
}

// The symbols that a word begins with.
class Bpe::Speller {
 public:
  Speller(const Bpe& bpe, std::vector<BpeMerges::Symbol>* symbols)
      : bpe_(bpe), symbols_(*symbols) {}
  ~Speller() { FlushUnknown(); }
  Speller(const Speller&) = delete;
  Speller& operator=(const Speller&) = delete;

  // `spelled` is the character with what is around it, of `bytes` in the word.
  void Add(std::string_view spelled, uint32_t bytes) {
    if (const auto id = bpe_.vocabulary_.TokenToId(spelled)) {
      FlushUnknown();
      symbols_.push_back({*id, bytes});
    } else if (!AddBytes(spelled) && bpe_.unk_id_ >= 0) {
      if (!bpe_.fuse_unk_) FlushUnknown();
      unknown_ += bytes;
    }
  }

 private:
  // An unknown run before stays open, as it does in the reference, and so comes
  // behind the bytes.
  bool AddBytes(std::string_view spelled) {
    const auto id_of = [this](char c) {
      return bpe_.byte_ids_[static_cast<unsigned char>(c)];
    };
    if (!bpe_.byte_fallback_ ||
        std::any_of(spelled.begin(), spelled.end(),
                    [&](char c) { return id_of(c) < 0; })) {
      return false;
    }
    for (const char c : spelled) symbols_.push_back({id_of(c), 1});
    return true;
  }

  void FlushUnknown() {
    if (unknown_ > 0) symbols_.push_back({bpe_.unk_id_, unknown_});
    unknown_ = 0;
  }

  const Bpe& bpe_;
  std::vector<BpeMerges::Symbol>& symbols_;
  uint32_t unknown_ = 0;  // bytes
};

void Bpe::AppendWord(std::string_view word, std::span<const Span> spans,
                     int32_t word_index, TokenSequence* out) const {
  if (ignore_merges_) {
    if (const auto id = vocabulary_.TokenToId(word)) {
      return AppendToken(*id, {spans.front().start, spans.back().end},
                         word_index, out);
    }
  }
  BpeMerges::Workspace workspace;
  {
    Speller speller(*this, &workspace.symbols);
    std::string spelled;
    for (size_t begin = 0, end; begin < word.size(); begin = end) {
      end = begin + Utf8Length(word[begin]);
      spelled.clear();
      if (begin > 0) spelled.append(prefix_);
      spelled.append(word.substr(begin, end - begin));
      if (end == word.size()) spelled.append(suffix_);
      speller.Add(spelled, static_cast<uint32_t>(end - begin));
    }
  }
  merges_.Merge(&workspace);
  // Offsets count the bytes of the symbols, so that a character that became
  // none moves those behind it.
  size_t begin = 0;
  for (const BpeMerges::Symbol& symbol : workspace.symbols) {
    const size_t end = begin + symbol.bytes;
    AppendToken(symbol.id, {spans[begin].start, spans[end - 1].end}, word_index,
                out);
    begin = end;
  }
}

}  // namespace deberta::tokenizer
