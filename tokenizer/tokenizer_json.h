// The parts of a tokenizer that its model files define: from tokenizer.json, or
// from the raw files as transformers' slow-to-fast converters read them.

#ifndef TOKENIZER_TOKENIZER_JSON_H_
#define TOKENIZER_TOKENIZER_JSON_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/hf5_unigram.h"
#include "tokenizer/json_reader.h"
#include "tokenizer/segmenter.h"
#include "tokenizer/special_tokens.h"

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
  // Of the template. Without (raw files), those of "[CLS]" and "[SEP]".
  std::optional<int32_t> cls_id;
  std::optional<int32_t> sep_id;
};

// InvalidArgument, naming the field, for anything malformed and for every
// component, option or field that is not implemented. `add_prefix_space`
// replaces a ByteLevel pre-tokenizer's own, as transformers does it.
// With `hf5`, what the profile hf5 makes of a Unigram model.
absl::StatusOr<TokenizerDefinition> ParseTokenizerJson(
    const JsonDocument& document, bool add_prefix_space,
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

#endif  // TOKENIZER_TOKENIZER_JSON_H_
