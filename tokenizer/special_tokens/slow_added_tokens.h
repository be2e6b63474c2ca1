// Added tokens as transformers 4.57's slow tokenizers treat them
// (PreTrainedTokenizer.tokenize and _decode, SPMTokenizer.decode): found in the
// text as it is, whatever their `normalized`; `single_word` tokens that stand
// beside anything but a space become part of the text beside them.

#ifndef TOKENIZER_SPECIAL_TOKENS_SLOW_ADDED_TOKENS_H_
#define TOKENIZER_SPECIAL_TOKENS_SLOW_ADDED_TOKENS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/special_tokens/added_tokens.h"
#include "tokenizer/special_tokens/token_finder.h"

namespace deberta::tokenizer {

// Immutable.
class SlowSpecialTokens {
 public:
  struct Options {
    std::vector<AddedToken> tokens = {};  // valid for SpecialTokens::Create()
    // transformers' all_special_tokens: named ones and additional ones.
    std::vector<std::string> named = {};
    std::vector<std::string> additional = {};
  };

  // An added token, or (id < 0) a stretch for the segmenter.
  struct Stretch {
    int32_t id = -1;
    NormalizedText text;
  };

  // `vocabulary_entries` are those of the model itself.
  SlowSpecialTokens(const Options& options, int32_t vocabulary_entries);

  // Cuts a text; empty stretches are left out. All but the special tokens goes
  // through `segmenter`.Normalize() first. REQUIRES: `text` is valid UTF-8.
  std::vector<Stretch> Split(std::string_view text,
                             const Segmenter& segmenter) const;

  // The text of `tokens`; special ones are set apart as transformers does it.
  std::string Decode(std::span<const std::string_view> tokens,
                     const Segmenter& segmenter) const;

  // True for named and additional special tokens, which decoding may skip.
  bool IsSpecial(std::string_view token) const;
  size_t resident_bytes() const;

 private:
  // Normalises what lies between the tokens that keep their case.
  NormalizedText NormalizeBetween(std::string_view text,
                                  const Segmenter& segmenter) const;
  std::vector<Stretch> Cut(NormalizedText text) const;
  // Applies lstrip, rstrip and single_word.
  void Join(std::vector<Stretch>* stretches) const;
  std::string DecodePieces(std::span<const std::string_view> tokens,
                           const Segmenter& segmenter) const;

  absl::flat_hash_map<int32_t, AddedToken> tokens_;
  TokenFinder::Contents ids_;
  TokenFinder all_;
  TokenFinder case_kept_;
  absl::flat_hash_set<std::string> special_;
  // Decoded by themselves, with a space on each side.
  absl::flat_hash_set<std::string> apart_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SPECIAL_TOKENS_SLOW_ADDED_TOKENS_H_
