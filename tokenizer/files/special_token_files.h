// tokenizer_config.json, special_tokens_map.json and added_tokens.json -> the
// added tokens and the names of [CLS], [MASK], ... that they give, as
// transformers 4.57 takes it (PreTrainedTokenizerBase._from_pretrained,
// PreTrainedTokenizerFast.__init__). transformers 5 differs in directories
// without tokenizer.json alone, whose [MASK] and [UNK] have no attributes of
// their own there.

#ifndef TOKENIZER_FILES_SPECIAL_TOKEN_FILES_H_
#define TOKENIZER_FILES_SPECIAL_TOKEN_FILES_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/profile.h"
#include "tokenizer/files/tokenizer_definition.h"
#include "tokenizer/files/tokenizer_files.h"
#include "tokenizer/special_tokens/special_token_ids.h"

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
  SpecialTokenNames names;
  bool without_defined = false;  // those of the definition are not to be added
};

// `defined` are the added tokens of the definition; `bert_class` is true for
// BertTokenizer, which has no bos and eos token of its own. InvalidArgument,
// naming file and field, if a field is malformed.
absl::StatusOr<AddedTokenPlan> PlanAddedTokens(
    const SideFiles& files, TokenizerSource source, Profile profile,
    bool bert_class, std::span<const DeclaredToken> defined);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_FILES_SPECIAL_TOKEN_FILES_H_
