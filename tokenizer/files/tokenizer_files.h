// The files of a model directory that make its tokenizer. The only part of the
// library that opens files.

#ifndef TOKENIZER_FILES_TOKENIZER_FILES_H_
#define TOKENIZER_FILES_TOKENIZER_FILES_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "tokenizer/files/profile.h"

namespace deberta::tokenizer {

// Where the model's own parts come from; the slow tokenizers, through which raw
// files go, have other attributes for their special tokens.
enum class TokenizerSource {
  kTokenizerJson,
  kVocabAndMerges,
  kSpm,
  kVocabTxt,  // BERT's
};

// The bytes of the files.
struct TokenizerFiles {
  TokenizerSource source = TokenizerSource::kTokenizerJson;
  std::string model;   // tokenizer.json, vocab.json, spm.model or vocab.txt
  std::string merges;  // merges.txt, of kVocabAndMerges
  // Absent where there is no such file.
  std::optional<std::string> tokenizer_config;
  std::optional<std::string> special_tokens_map;
  std::optional<std::string> added_tokens;
  std::optional<std::string> config;  // config.json
};

// Chooses the source: spm.model for the profile spm (absent: none is asked
// for); else tokenizer.json where present, but vocab.txt for
// BertJapaneseTokenizer; else vocab.json and merges.txt (v1),
// spm.model (v2 and later) or vocab.txt (BERT). If several are there,
// "tokenizer_class" of tokenizer_config.json or config.json, or the latter's
// "model_type", tells which counts.
//
// NotFound, with the names looked for, if the directory has no tokenizer;
// InvalidArgument if a file cannot be read or nothing tells the family.
absl::StatusOr<TokenizerFiles> ReadTokenizerFiles(
    const std::string& directory, std::optional<Profile> profile);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_FILES_H_
