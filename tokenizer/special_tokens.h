// Added tokens ([CLS], [MASK], ...): found in raw or normalised text before the
// model sees it.

#ifndef TOKENIZER_SPECIAL_TOKENS_H_
#define TOKENIZER_SPECIAL_TOKENS_H_

#include <array>
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
#include "tokenizer/piece_trie.h"
#include "tokenizer/segmenter.h"

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

// Immutable.
class SpecialTokens {
 public:
  // Tokens are added in order, as the `tokenizers` library adds them: a token
  // added again with other attributes replaces the earlier one, but a special
  // token keeps its first `normalized`. Normalized tokens are looked for as
  // `segmenter` normalises their content. InvalidArgument if a content is
  // empty, also after normalisation, or not UTF-8, or if one content has two
  // ids or one id two contents.
  static absl::StatusOr<std::unique_ptr<const SpecialTokens>> Create(
      std::span<const AddedToken> tokens, const Segmenter& segmenter);

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
  using Contents = absl::flat_hash_map<std::string, int32_t>;  // and their ids
  struct Builder;

  // Looks for some contents in one pass over a text.
  class Finder {
   public:
    explicit Finder(const Contents& contents);
    // The longest content at the first position from `from` on that has one;
    // id < 0 if there is none.
    TextPiece Find(std::string_view text, size_t from) const;
    size_t resident_bytes() const { return trie_.resident_bytes(); }

   private:
    PieceTrie trie_;
    std::vector<int32_t> ids_;        // by the trie's ids
    std::array<bool, 256> starts_{};  // first bytes of the contents
  };

  explicit SpecialTokens(Builder builder);
  const AddedToken* Get(int32_t id) const;

  absl::flat_hash_map<int32_t, AddedToken> tokens_;
  Contents ids_;
  Finder raw_;
  Finder normalized_;
  int32_t id_limit_ = 0;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SPECIAL_TOKENS_H_
