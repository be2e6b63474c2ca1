// spm.model -> the tokenizer of DeBERTa v2 and later, as each reference makes
// it of the file.

#ifndef TOKENIZER_FILES_SPM_MODEL_H_
#define TOKENIZER_FILES_SPM_MODEL_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "tokenizer/files/hf5_unigram.h"
#include "tokenizer/files/tokenizer_definition.h"
#include "tokenizer/segmentation/sentencepiece_segmenter.h"

namespace deberta::tokenizer {

// As transformers 4.57 converts it for `tokenizers` (DebertaV2Converter):
// control and user-defined pieces become added tokens; byte fallback is not
// used, whatever the file says. Of a BPE model the pieces and their scores make
// the merges. `spm_model` are the bytes.
absl::StatusOr<TokenizerDefinition> ReadSpm(std::string_view spm_model,
                                            const SpmOptions& options);

// As transformers 5 converts it (hf5_unigram.h): of a model of any type, pieces
// and scores are taken for Unigram's.
absl::StatusOr<TokenizerDefinition> ReadSpmAsHf5(std::string_view spm_model,
                                                 Hf5Settings settings);

// As the SentencePiece library runs it, without added tokens.
absl::StatusOr<TokenizerDefinition> ReadSpmAsLibrary(std::string_view spm_model,
                                                     const SpmOptions& options);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_SPM_MODEL_H_
