// tokenizer_config.json, but for its special tokens (added_token_files.h): the
// keys that change what a tokenizer answers. docs/directories.md lists every
// key that transformers reads and what becomes of it here.

#ifndef TOKENIZER_FILES_TOKENIZER_CONFIG_H_
#define TOKENIZER_FILES_TOKENIZER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/files/bert_tokenizer.h"
#include "tokenizer/files/hf5_unigram.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/profile.h"
#include "tokenizer/files/tokenizer_files.h"
#include "tokenizer/segmentation/sentencepiece_segmenter.h"

namespace deberta::tokenizer {

struct TokenizerConfig {
  std::optional<int64_t> model_max_length;
  bool clean_up_tokenization_spaces = false;
  bool add_prefix_space = false;
  bool split_special_tokens = false;
  bool token_type_ids = true;
  // Absent: what tokenizer.json says.
  std::optional<Side> padding_side;
  std::optional<Side> truncation_side;
  SpmOptions spm;
  Hf5Settings hf5;
  // With kHf5 alone: it reads tokenizer.json as it is, as 4.57 always does,
  // instead of building a tokenizer of a class of its own from the vocabulary.
  bool generic_class = false;
  // The class is BertTokenizer, with these settings.
  bool bert_class = false;
  BertSettings bert;
  // The class is BertJapaneseTokenizer (bert_class is true too).
  std::optional<BertJapaneseSettings> japanese;
  std::string unk_token = "[UNK]";
};

// `config` is config.json, which may name the tokenizer's class in the other's
// stead. InvalidArgument, naming the key, for values that transformers refuses
// too or that are not served.
absl::StatusOr<TokenizerConfig> ReadTokenizerConfig(
    const JsonDocument& tokenizer_config, const JsonDocument& config,
    TokenizerSource source, Profile profile);

// "left" or "right", in any case of the first letter; absent if `node` is.
std::optional<Side> ReadSide(const JsonNode& node);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_TOKENIZER_CONFIG_H_
