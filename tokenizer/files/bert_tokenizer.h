// The tokenizers that transformers' BertTokenizer and BertJapaneseTokenizer
// make of a vocabulary and its settings, and of vocab.txt.

#ifndef TOKENIZER_FILES_BERT_TOKENIZER_H_
#define TOKENIZER_FILES_BERT_TOKENIZER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tokenizer/files/profile.h"
#include "tokenizer/files/tokenizer_definition.h"
#include "tokenizer/normalization/bert_normalizer.h"

namespace deberta::tokenizer {

// Of tokenizer_config.json; they go before a BertNormalizer's own in
// tokenizer.json.
struct BertSettings {
  bool lowercase = true;
  std::optional<bool> strip_accents = {};  // absent: if `lowercase`
  bool handle_chinese_chars = true;

  BertNormalizer WithCleanText(bool clean_text) const {
    return {.clean_text = clean_text,
            .handle_chinese_chars = handle_chinese_chars,
            .strip_accents = strip_accents.value_or(lowercase),
            .lowercase = lowercase};
  }
};

// Segmenter and template of `definition`.
absl::Status BuildBert(std::vector<std::pair<std::string, int32_t>> vocabulary,
                       const std::string& unk_token,
                       const BertSettings& settings,
                       TokenizerDefinition* definition);

// Of tokenizer_config.json, for BertJapaneseTokenizer.
struct BertJapaneseSettings {
  bool cuts_words = true;   // else a text is one word
  bool characters = false;  // of words, else WordPiece's
};

// A token a line, its number the id. Of equal tokens the last one counts. 4.57
// takes the lines as they are, version 5 without white space at their ends.
absl::StatusOr<TokenizerDefinition> ReadVocabTxt(std::string_view vocab,
                                                 const std::string& unk_token,
                                                 const BertSettings& settings,
                                                 Profile profile);

// The same for BertJapaneseTokenizer, whose lines both versions take as they
// are. It runs in Python and has no offsets; ours are those of the characters
// that a token was made of.
absl::StatusOr<TokenizerDefinition> ReadJapaneseVocabTxt(
    std::string_view vocab, const std::string& unk_token,
    const BertJapaneseSettings& settings);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_BERT_TOKENIZER_H_
