// vocab.json and merges.txt -> the tokenizer of DeBERTa v1, as transformers
// 4.57 converts them (DebertaConverter).

#ifndef TOKENIZER_FILES_VOCAB_AND_MERGES_H_
#define TOKENIZER_FILES_VOCAB_AND_MERGES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/tokenizer_definition.h"

namespace deberta::tokenizer {

// An object of tokens and their ids.
std::vector<std::pair<std::string, int32_t>> ReadVocabulary(
    const JsonNode& node);

// In the order of their ranks.
using Merges = std::vector<std::pair<std::string, std::string>>;

// `merges` are the bytes of merges.txt: a first line "#version" and blank lines
// are skipped; a pair that comes again is ignored.
absl::StatusOr<TokenizerDefinition> ReadVocabAndMerges(
    const JsonDocument& vocab, std::string_view merges, bool add_prefix_space);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_VOCAB_AND_MERGES_H_
