// tokenizer.json -> the tokenizer that it defines, as the `tokenizers` library
// reads it.

#ifndef TOKENIZER_FILES_TOKENIZER_JSON_H_
#define TOKENIZER_FILES_TOKENIZER_JSON_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "tokenizer/files/bert_tokenizer.h"
#include "tokenizer/files/hf5_unigram.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/tokenizer_definition.h"
#include "tokenizer/special_tokens/added_token.h"

namespace deberta::tokenizer {

// What the class that reads the file does with it.
struct JsonClass {
  // If there is one, replaces a ByteLevel pre-tokenizer's own.
  std::optional<bool> add_prefix_space = {};
  // What version 5's classes of DeBERTa make of the file: of it, the
  // vocabulary, merges and added tokens count. Else null.
  const Hf5Settings* hf5 = nullptr;
  // BertTokenizer's settings, which go before those of the file; else null.
  const BertSettings* bert = nullptr;
  // Version 5's BertTokenizer: of the file, the vocabulary and the added tokens
  // count.
  bool rebuilds_bert = false;
  std::string unk_token = "[UNK]";  // if `rebuilds_bert`
};

// InvalidArgument, naming the field, for anything malformed and for every
// component, option or field that is not implemented.
absl::StatusOr<TokenizerDefinition> ParseTokenizerJson(
    const JsonDocument& document, const JsonClass& settings);

// One of tokenizer.json's "added_tokens", or an AddedToken object of the side
// files; `special` and `normalized` are the values of missing fields.
AddedToken ReadAddedToken(const JsonNode& node, bool special, bool normalized);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_JSON_H_
