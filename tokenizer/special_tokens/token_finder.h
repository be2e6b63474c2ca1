// Finds added tokens in a text.

#ifndef TOKENIZER_SPECIAL_TOKENS_TOKEN_FINDER_H_
#define TOKENIZER_SPECIAL_TOKENS_TOKEN_FINDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tokenizer/text/byte_trie.h"

namespace deberta::tokenizer {

// A piece of a text: an added token, or (id < 0) a stretch between two.
struct TextPiece {
  int32_t id = -1;
  size_t begin = 0;  // bytes, half-open
  size_t end = 0;
};

// Immutable.
class TokenFinder {
 public:
  using Contents = absl::flat_hash_map<std::string, int32_t>;  // and their ids

  // REQUIRES: no content is empty.
  explicit TokenFinder(const Contents& contents);
  // The longest content at the first position from `from` on that has one;
  // id < 0 if there is none.
  TextPiece Find(std::string_view text, size_t from) const;
  size_t resident_bytes() const { return trie_.resident_bytes(); }

 private:
  PieceTrie trie_;
  std::vector<int32_t> ids_;        // by the trie's ids
  std::array<bool, 256> starts_{};  // first bytes of the contents
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SPECIAL_TOKENS_TOKEN_FINDER_H_
