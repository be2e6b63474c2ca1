// Added tokens ([CLS], [MASK], ...): found in raw or normalised text before the
// model sees it.

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
#include "tokenizer/special_tokens/token_finder.h"

namespace deberta::tokenizer {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
  bool special = true;
};

// Immutable.
class SpecialTokens {
 public:
  // Tokens are added in order, as the `tokenizers` library adds them: a token
  // added again with other attributes replaces the earlier one, but a special
  // token keeps its first `normalized`. Normalized tokens are looked for as
  // `segmenter` normalises their content. InvalidArgument if a content is
  // empty, also after normalisation, or not UTF-8, or if one content has two
  // ids or one id two contents. With `splits_special`, special tokens are text
  // like any other, as transformers' "split_special_tokens" asks.
  static absl::StatusOr<std::unique_ptr<const SpecialTokens>> Create(
      std::span<const AddedToken> tokens, const Segmenter& segmenter,
      bool splits_special = false);

  // Cuts `text` at every added token whose `normalized` equals the argument;
  // leftmost, then longest; lstrip and rstrip take the white space beside the
  // token into its piece. The pieces cover the text.
  // REQUIRES: `text` is valid UTF-8.
  std::vector<TextPiece> Split(std::string_view text, bool normalized) const;

  std::optional<int32_t> TokenToId(std::string_view content) const;
  // Null for an id that is no added token.
  const AddedToken* Find(int32_t id) const;
  // "" for an id that is no added token.
  std::string_view IdToToken(int32_t id) const;
  bool IsSpecial(int32_t id) const;
  // Whether any token takes the white space on both sides.
  bool AnyTakesBoth() const;
  // One more than the largest id of an added token; 0 without any.
  int32_t id_limit() const { return id_limit_; }
  size_t resident_bytes() const;

 private:
  using Contents = TokenFinder::Contents;
  struct Builder;

  SpecialTokens(Builder builder, bool splits_special);

  const bool splits_special_;
  absl::flat_hash_map<int32_t, AddedToken> tokens_;
  Contents ids_;
  TokenFinder raw_;
  TokenFinder normalized_;
  int32_t id_limit_ = 0;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SPECIAL_TOKENS_ADDED_TOKENS_H_
