// The parts of a tokenizer that its model files define: from tokenizer.json, or
// from the raw files as transformers' slow-to-fast converters read them.

#ifndef TOKENIZER_FILES_TOKENIZER_JSON_H_
#define TOKENIZER_FILES_TOKENIZER_JSON_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/encoding/post_processor.h"
#include "tokenizer/files/hf5_unigram.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/special_tokens/added_tokens.h"

namespace deberta::tokenizer {

// An added token before it has an id.
struct DeclaredToken {
  AddedToken token;
  // The id that the file gives; ids follow from the order, so it is a check.
  std::optional<int32_t> declared_id;
};

struct TokenizerDefinition {
  std::unique_ptr<const Segmenter> segmenter;
  // Entries of the model's vocabulary: an added token that is none of them gets
  // this id or a larger one.
  int32_t vocabulary_entries = 0;
  bool byte_level = false;  // v1
  std::vector<DeclaredToken> added_tokens;
  // Absent where the files have none (raw files), or none that counts.
  std::optional<PostProcessor> post_processor;
  // Of the blocks "truncation" and "padding".
  std::optional<Side> truncation_side;
  std::optional<Side> padding_side;
};

// InvalidArgument, naming the field, for anything malformed and for every
// component, option or field that is not implemented. `add_prefix_space`, if
// there is one, replaces a ByteLevel pre-tokenizer's own.
// With `hf5`, what a class of transformers 5 makes of it: of the file, the
// vocabulary, merges and added tokens count.
absl::StatusOr<TokenizerDefinition> ParseTokenizerJson(
    const JsonDocument& document, std::optional<bool> add_prefix_space,
    const Hf5Settings* hf5 = nullptr);

// An object of tokens and their ids.
std::vector<std::pair<std::string, int32_t>> ReadVocabulary(
    const JsonNode& node);

// In the order of their ranks.
using Merges = std::vector<std::pair<std::string, std::string>>;

// Merges as "a b" or ["a", "b"].
Merges ReadMerges(const JsonNode& node);

// One of tokenizer.json's "added_tokens", or an AddedToken object of the side
// files; `special` and `normalized` are the values of missing fields.
AddedToken ReadAddedToken(const JsonNode& node, bool special, bool normalized);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_JSON_H_
