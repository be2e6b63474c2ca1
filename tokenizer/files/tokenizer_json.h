// tokenizer.json -> the tokenizer that it defines, as the `tokenizers` library
// reads it.

#ifndef TOKENIZER_FILES_TOKENIZER_JSON_H_
#define TOKENIZER_FILES_TOKENIZER_JSON_H_

#include <optional>

#include "absl/status/statusor.h"
#include "tokenizer/files/hf5_unigram.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/tokenizer_definition.h"
#include "tokenizer/special_tokens/added_token.h"

namespace deberta::tokenizer {

// InvalidArgument, naming the field, for anything malformed and for every
// component, option or field that is not implemented. `add_prefix_space`, if
// there is one, replaces a ByteLevel pre-tokenizer's own.
// With `hf5`, what a class of transformers 5 makes of it: of the file, the
// vocabulary, merges and added tokens count.
absl::StatusOr<TokenizerDefinition> ParseTokenizerJson(
    const JsonDocument& document, std::optional<bool> add_prefix_space,
    const Hf5Settings* hf5 = nullptr);

// One of tokenizer.json's "added_tokens", or an AddedToken object of the side
// files; `special` and `normalized` are the values of missing fields.
AddedToken ReadAddedToken(const JsonNode& node, bool special, bool normalized);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_JSON_H_
