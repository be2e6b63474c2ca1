#include "tokenizer/segmentation/word_piece.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/segmentation/viterbi.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

absl::StatusOr<std::unique_ptr<WordPiece>> WordPiece::Create(
    const WordPieceOptions& options) {
  absl::StatusOr<Vocabulary> vocabulary =
      Vocabulary::Create(options.vocabulary);
  if (!vocabulary.ok()) return vocabulary.status();
  for (const auto& [token, id] : options.vocabulary) {
    if (token.size() <= kMaxPieceBytes) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("vocabulary: token with id ", id, ": expected at most ",
                     kMaxPieceBytes, " bytes, got ", token.size()));
  }
  const std::optional<int32_t> unk_id =
      vocabulary->TokenToId(options.unk_token);
  if (!unk_id.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("unk_token: expected a token of the vocabulary, got \"",
                     Excerpt(options.unk_token), "\""));
  }
  return std::unique_ptr<WordPiece>(
      new WordPiece(*std::move(vocabulary), options, *unk_id));
}

WordPiece::WordPiece(Vocabulary vocabulary, const WordPieceOptions& options,
                     int32_t unk_id)
    : vocabulary_(std::move(vocabulary)),
      trie_(vocabulary_.tokens()),
      unk_id_(unk_id),
      max_characters_(options.max_input_chars_per_word) {
  for (const char c : options.continuing_subword_prefix) {
    if (continuing_ == ByteTrie::kNone) break;
    continuing_ = trie_.Child(continuing_, static_cast<unsigned char>(c));
  }
}

WordPiece::Found WordPiece::Longest(std::string_view word, size_t begin) const {
  Found longest = {ByteTrie::kNoId, begin};
  ByteTrie::Node node = begin == 0 ? ByteTrie::kRoot : continuing_;
  for (size_t i = begin; i < word.size() && node != ByteTrie::kNone; ++i) {
    node = trie_.Child(node, static_cast<unsigned char>(word[i]));
    if (node == ByteTrie::kNone) break;
    if (const int32_t id = trie_.id(node); id != ByteTrie::kNoId) {
      longest = {id, i + 1};
    }
  }
  return longest;
}

void WordPiece::AppendWord(std::string_view word, std::span<const Span> spans,
                           int32_t word_index, TokenSequence* out) const {
  const size_t first = out->size();
  bool known = word.size() <= max_characters_ ||
               CountCodePoints(word) <= max_characters_;
  for (size_t begin = 0; known && begin < word.size();) {
    const Found found = Longest(word, begin);
    known = found.id != ByteTrie::kNoId;
    if (!known) break;
    AppendToken(found.id, {spans[begin].start, spans[found.end - 1].end},
                word_index, out);
    begin = found.end;
  }
  if (known) return;
  out->ids.resize(first);
  out->offsets.resize(first);
  out->words.resize(first);
  AppendToken(unk_id_, {spans.front().start, spans.back().end}, word_index,
              out);
}

size_t WordPiece::resident_bytes() const {
  return vocabulary_.resident_bytes() + trie_.resident_bytes();
}

}  // namespace deberta::tokenizer
