// A model directory -> a Tokenizer. The only part of the library that opens
// files; JSON is read here and in json_reader.h's users.
//
// Order: tokenizer.json is authoritative where present; else vocab.json and
// merges.txt (v1), else spm.model (v2 and later). tokenizer_config.json,
// special_tokens_map.json and added_tokens.json are honoured where the format
// leaves a choice (spec 5.7).

#ifndef TOKENIZER_LOADER_H_
#define TOKENIZER_LOADER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tokenizer/tokenizer.h"

namespace deberta::tokenizer {

// NotFound, with the names looked for, if the directory has no tokenizer;
// InvalidArgument, naming file and field, if a file is malformed.
absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizer(
    const std::string& directory);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_LOADER_H_
