// Tokenizers of directories without tokenizer.json, built as transformers 4.57
// converts them (DebertaConverter, DebertaV2Converter).

#ifndef TOKENIZER_FILES_RAW_FILES_H_
#define TOKENIZER_FILES_RAW_FILES_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "tokenizer/files/hf5_unigram.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/tokenizer_json.h"
#include "tokenizer/segmentation/sentencepiece_unigram.h"

namespace deberta::tokenizer {

// The lines of merges.txt. A first line "#version" and blank lines are skipped;
// a pair that comes again is ignored.
absl::StatusOr<Merges> ParseMerges(std::string_view text);

// DeBERTa v1: vocab.json and the bytes of merges.txt.
absl::StatusOr<TokenizerDefinition> ReadVocabAndMerges(
    const JsonDocument& vocab, std::string_view merges, bool add_prefix_space);

// DeBERTa v2 and later: the bytes of spm.model. Control and user-defined pieces
// become added tokens; byte fallback is not used, whatever the file says.
absl::StatusOr<TokenizerDefinition> ReadSpm(std::string_view spm_model,
                                            const SpmOptions& options);

// The same for the profile hf5.
absl::StatusOr<TokenizerDefinition> ReadSpmAsHf5(std::string_view spm_model,
                                                 Hf5Settings settings);

// The same for the profile spm: the SentencePiece library's own segmentation,
// without added tokens.
absl::StatusOr<TokenizerDefinition> ReadSpmAsLibrary(std::string_view spm_model,
                                                     const SpmOptions& options);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_RAW_FILES_H_
