// The "pre_tokenizer" and the "decoder" of a tokenizer.json.

#ifndef TOKENIZER_FILES_TOKENIZER_JSON_PRE_TOKENIZER_H_
#define TOKENIZER_FILES_TOKENIZER_JSON_PRE_TOKENIZER_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/pre_tokenization/metaspace.h"
#include "tokenizer/pre_tokenization/pre_tokenizer.h"
#include "tokenizer/segmentation/decoder.h"

namespace deberta::tokenizer {

// No steps, if `node` is null. An error in the document if a field is not as
// expected or names something that is not implemented; InvalidArgument for a
// regular expression that is not. `add_prefix_space`, if there is one, replaces
// the own one of a ByteLevel that is no part of a Sequence.
absl::StatusOr<PreTokenizer> ReadPreTokenizer(
    const JsonNode& node, std::optional<bool> add_prefix_space);

// The steps of `node`: itself, or if it is a Sequence the elements of `key`.
// Notes an error if there are more than 32.
std::vector<JsonNode> StepsOf(const JsonNode& node, const char* key);

// Of either. Notes an error if it is of another type.
Metaspace ReadMetaspace(const JsonNode& node);

// As ReadPreTokenizer(), but that all errors are noted in the document.
Decoder ReadDecoder(const JsonNode& node);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_JSON_PRE_TOKENIZER_H_
