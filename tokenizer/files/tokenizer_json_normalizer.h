// The "normalizer" of a tokenizer.json.

#ifndef TOKENIZER_FILES_TOKENIZER_JSON_NORMALIZER_H_
#define TOKENIZER_FILES_TOKENIZER_JSON_NORMALIZER_H_

#include "absl/status/statusor.h"
#include "tokenizer/files/bert_tokenizer.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/normalization/normalizer.h"

namespace deberta::tokenizer {

// No steps, if `node` is null. An error in the document if a field is not as
// expected or names something that is not implemented; InvalidArgument if the
// values do not make a normalizer. `bert` may be null.
absl::StatusOr<Normalizer> ReadNormalizer(const JsonNode& node,
                                          const BertSettings* bert = nullptr);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_JSON_NORMALIZER_H_
