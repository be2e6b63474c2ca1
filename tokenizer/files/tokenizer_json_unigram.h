// The Unigram model of a tokenizer.json, with its normaliser, pre-tokenizer and
// decoder (spec 5.7).

#ifndef TOKENIZER_FILES_TOKENIZER_JSON_UNIGRAM_H_
#define TOKENIZER_FILES_TOKENIZER_JSON_UNIGRAM_H_

#include <memory>

#include "absl/status/statusor.h"
#include "tokenizer/files/hf5_unigram.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/segmentation/hf_unigram.h"

namespace deberta::tokenizer {

// Whether the parts around the model are those that HfUnigram has of its own:
// (Punctuation,) Metaspace.
bool IsSentencePiecePipeline(const JsonNode& root);

// The model alone, as ReadUnigram().
absl::StatusOr<std::unique_ptr<HfUnigram>> ReadUnigramModel(
    const JsonNode& model);

// `root` is the whole document, for which IsSentencePiecePipeline(). Null, with
// the error in the document, if a field is not as expected or names something
// that is not implemented; InvalidArgument if the values do not make a
// tokenizer.
absl::StatusOr<std::unique_ptr<HfUnigram>> ReadUnigram(const JsonNode& root);

// The same for the profile hf5, which takes nothing but the vocabulary.
absl::StatusOr<std::unique_ptr<HfUnigram>> ReadHf5Unigram(
    const JsonNode& root, const Hf5Settings& settings);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_JSON_UNIGRAM_H_
