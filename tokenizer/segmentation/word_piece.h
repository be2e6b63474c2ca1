// BERT's WordPiece (Devlin et al. 2019) as the `tokenizers` library runs it:
// from left to right the longest piece of the vocabulary; a word that is not
// made up of pieces is one unknown token.

#ifndef TOKENIZER_SEGMENTATION_WORD_PIECE_H_
#define TOKENIZER_SEGMENTATION_WORD_PIECE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/segmentation/vocabulary.h"
#include "tokenizer/segmentation/word_model.h"
#include "tokenizer/text/byte_trie.h"

namespace deberta::tokenizer {

struct WordPieceOptions {
  std::vector<std::pair<std::string, int32_t>> vocabulary = {};
  std::string unk_token = "[UNK]";
  // Stands before a piece that does not begin a word.
  std::string continuing_subword_prefix = "##";
  // A word of more characters is one unknown token.
  uint64_t max_input_chars_per_word = 100;
};

class WordPiece : public WordModel {
 public:
  // InvalidArgument as Vocabulary::Create() has it, and if `unk_token` is not
  // in the vocabulary or a token has more than 4,096 bytes.
  static absl::StatusOr<std::unique_ptr<WordPiece>> Create(
      const WordPieceOptions& options);

  void AppendWord(std::string_view word, std::span<const Span> spans,
                  int32_t word_index, TokenSequence* out) const override;
  std::optional<int32_t> TokenToId(std::string_view token) const override {
    return vocabulary_.TokenToId(token);
  }
  std::string_view IdToToken(int32_t id) const override {
    return vocabulary_.IdToToken(id);
  }
  int32_t vocab_size() const override { return vocabulary_.size(); }
  int32_t entries() const override { return vocabulary_.entries(); }
  size_t resident_bytes() const override;
  bool marks_continuations() const override {
    return continuing_ != ByteTrie::kRoot;
  }

 private:
  struct Found {
    int32_t id;
    size_t end;
  };

  WordPiece(Vocabulary vocabulary, const WordPieceOptions& options,
            int32_t unk_id);
  // The longest piece at `begin`; ByteTrie::kNoId if there is none.
  Found Longest(std::string_view word, size_t begin) const;

  const Vocabulary vocabulary_;
  const ByteTrie trie_;
  ByteTrie::Node continuing_ = ByteTrie::kRoot;  // behind the prefix, or kNone
  const int32_t unk_id_;
  const uint64_t max_characters_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_WORD_PIECE_H_
