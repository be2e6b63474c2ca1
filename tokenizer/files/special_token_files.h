// What tokenizer_config.json, special_tokens_map.json and added_tokens.json say
// about added tokens, as transformers 4.57 takes it
// (PreTrainedTokenizerBase._from_pretrained, PreTrainedTokenizerFast.__init__).
// transformers 5 differs in raw files alone, whose [MASK] and [UNK] have no
// attributes of their own there.

#ifndef TOKENIZER_FILES_SPECIAL_TOKEN_FILES_H_
#define TOKENIZER_FILES_SPECIAL_TOKEN_FILES_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/profile.h"
#include "tokenizer/files/tokenizer_files.h"
#include "tokenizer/files/tokenizer_json.h"

namespace deberta::tokenizer {

// A file that is not there is an empty document.
struct SideFiles {
  JsonDocument tokenizer_config;
  JsonDocument special_tokens_map;
  JsonDocument added_tokens;
};

struct AddedTokenPlan {
  // To be added, in this order, after those of the definition.
  std::vector<DeclaredToken> tokens;
  // transformers' all_special_tokens: the named ones ("pad_token", ...), then
  // the additional ones.
  std::vector<std::string> named;
  std::vector<std::string> additional;
  // Contents; absent where a file sets them to null.
  std::optional<std::string> cls;
  std::optional<std::string> sep;
  std::optional<std::string> pad;
  std::optional<std::string> unk;
  std::optional<std::string> mask;
};

// `defined` are the added tokens of the definition. InvalidArgument, naming
// file and field, if a field is malformed.
absl::StatusOr<AddedTokenPlan> PlanAddedTokens(
    const SideFiles& files, TokenizerSource source, Profile profile,
    std::span<const DeclaredToken> defined);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_SPECIAL_TOKEN_FILES_H_
