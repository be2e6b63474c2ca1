// Added tokens ([CLS], [MASK], ...) as the `tokenizers` library treats them
// (AddedVocabulary; profiles hf4 and hf5): found in raw or normalised text
// before the model sees it.

#ifndef TOKENIZER_SPECIAL_TOKENS_ADDED_TOKENS_H_
#define TOKENIZER_SPECIAL_TOKENS_ADDED_TOKENS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/special_tokens/added_token.h"
#include "tokenizer/special_tokens/token_finder.h"

namespace deberta::tokenizer {

struct AddedTokensOptions {
  // Special tokens are text like any other, as transformers'
  // "split_special_tokens" asks.
  bool splits_special = false;
  // As `tokenizers` from 0.23 on: a token added again is looked for as it is
  // now, and IdToToken() of a normalized token is what it is looked for as,
  // which is special only if a special token is called so.
  bool from_0_23 = false;
};

// Immutable.
class AddedTokens {
 public:
  // Tokens are added in order, as the `tokenizers` library adds them: a token
  // added again with other attributes replaces the earlier one, but before 0.23
  // a special token keeps its first `normalized`. Normalized tokens are looked
  // for as `segmenter` normalises their content. InvalidArgument if a content
  // is empty, also after normalisation, or not UTF-8, or if one content has two
  // ids or one id two contents.
  static absl::StatusOr<std::unique_ptr<const AddedTokens>> Create(
      std::span<const AddedToken> tokens, const Segmenter& segmenter,
      const AddedTokensOptions& options = {});

  // Cuts `text` at every added token whose `normalized` equals the argument;
  // leftmost, then longest; lstrip and rstrip take the white space beside the
  // token into its piece. The pieces cover the text.
  // REQUIRES: `text` is valid UTF-8.
  std::vector<TextPiece> Split(std::string_view text, bool normalized) const;

  std::optional<int32_t> TokenToId(std::string_view content) const;
  // "" for an id that is no added token.
  std::string_view IdToToken(int32_t id) const;
  bool IsSpecial(int32_t id) const;
  // One more than the largest id of an added token; 0 without any.
  int32_t id_limit() const { return id_limit_; }
  size_t resident_bytes() const;

 private:
  using Contents = TokenFinder::Contents;
  struct Builder;

  AddedTokens(Builder builder, const AddedTokensOptions& options);

  // Null for an id that is no added token.
  const AddedToken* Find(int32_t id) const;

  const bool splits_special_;
  absl::flat_hash_map<int32_t, AddedToken> tokens_;
  // Names that are not the content, by id.
  absl::flat_hash_map<int32_t, std::string> names_;
  Contents ids_;
  TokenFinder raw_;
  TokenFinder normalized_;
  int32_t id_limit_ = 0;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SPECIAL_TOKENS_ADDED_TOKENS_H_
