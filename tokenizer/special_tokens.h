// Added tokens ([CLS], [MASK], ...): found in raw or normalised text before the
// model sees it.

#ifndef TOKENIZER_SPECIAL_TOKENS_H_
#define TOKENIZER_SPECIAL_TOKENS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

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

// A piece of a text: an added token, or (id < 0) a stretch between two.
struct TextPiece {
  int32_t id = -1;
  size_t begin = 0;  // bytes, half-open
  size_t end = 0;
};

class SpecialTokens {
 public:
  explicit SpecialTokens(std::vector<AddedToken> tokens);

  // Cuts `text` at every added token whose `normalized` equals the argument;
  // leftmost, then longest; lstrip and rstrip take the white space beside the
  // token into its piece. The pieces cover the text.
  std::vector<TextPiece> Split(std::string_view text, bool normalized) const;

  std::optional<int32_t> TokenToId(std::string_view content) const;
  // "" for an id that is no added token.
  std::string_view IdToToken(int32_t id) const;
  bool IsSpecial(int32_t id) const;
  // One more than the largest id of an added token; 0 without any.
  int32_t id_limit() const;

 private:
  std::vector<AddedToken> tokens_;
  absl::flat_hash_map<int32_t, size_t> by_id_;
  absl::flat_hash_map<std::string, int32_t> by_content_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SPECIAL_TOKENS_H_
