// save_vocabulary of transformers 4.57's fast tokenizers.

#ifndef TOKENIZER_FILES_VOCABULARY_JSON_H_
#define TOKENIZER_FILES_VOCABULARY_JSON_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace deberta::tokenizer {

// Writes the vocabulary of the tokenizer in `directory` into the directory
// `target`, which must exist, and returns the paths: vocab.json and merges.txt
// of a byte-level BPE, in the order of ids and ranks, or a copy of spm.model.
// Errors of ReadTokenizerFiles(); InvalidArgument if a file is malformed, or
// for a Unigram tokenizer.json without spm.model, as the reference refuses it
// too; Unavailable if a file cannot be written.
absl::StatusOr<std::vector<std::string>> SaveVocabulary(
    const std::string& directory, const std::string& target);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_VOCABULARY_JSON_H_
