// Which tokens of a vocabulary are [CLS], [SEP], [PAD], [UNK] and [MASK].

#ifndef TOKENIZER_SPECIAL_TOKENS_SPECIAL_TOKEN_IDS_H_
#define TOKENIZER_SPECIAL_TOKENS_SPECIAL_TOKEN_IDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/encoding/post_processor.h"

namespace deberta::tokenizer {

class AddedTokens;  // added_tokens.h
class Segmenter;    // segmentation/segmenter.h

// By their contents, as a directory names them.
struct SpecialTokenNames {
  // transformers' all_special_tokens: the named ones ("pad_token", ...), then
  // the additional ones.
  std::vector<std::string> named;
  std::vector<std::string> additional;
  // Absent where a file sets them to null.
  std::optional<std::string> cls;
  std::optional<std::string> sep;
  std::optional<std::string> pad;
  std::optional<std::string> unk;
  std::optional<std::string> mask;
};

struct SpecialTokenIds {
  int32_t cls = 0;
  int32_t sep = 0;
  // Absent where the vocabulary has no token of the name.
  std::optional<int32_t> pad = {};
  std::optional<int32_t> unk = {};
  std::optional<int32_t> mask = {};
};

// Where cls or sep are not named, or not in the vocabulary, they are the first
// and the last token of `single`, the template of one text (may be null), else
// the tokens [CLS] and [SEP]. InvalidArgument if those are missing too.
absl::StatusOr<SpecialTokenIds> ResolveSpecialTokenIds(
    const SpecialTokenNames& names, const Template* single,
    const AddedTokens& added, const Segmenter& segmenter);

// transformers' all_special_ids, without those of names that are no tokens.
std::vector<int32_t> AllSpecialTokenIds(const SpecialTokenNames& names,
                                        const AddedTokens& added,
                                        const Segmenter& segmenter);

// The id of the token `content`, added or not. InvalidArgument if there is
// none.
absl::StatusOr<int32_t> RequireTokenId(const std::string& content,
                                       const AddedTokens& added,
                                       const Segmenter& segmenter);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SPECIAL_TOKENS_SPECIAL_TOKEN_IDS_H_
