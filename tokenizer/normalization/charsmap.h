// SentencePiece's precompiled_charsmap: UTF-8 sequences and what they become.
//
// Layout: uint32 (little-endian) size of the trie in bytes; the trie, a Darts
// double array of uint32 units; then NUL-terminated UTF-8 strings, addressed by
// the trie's values. The bytes are untrusted: every step of a look-up is
// checked against the bounds.

#ifndef TOKENIZER_NORMALIZATION_CHARSMAP_H_
#define TOKENIZER_NORMALIZATION_CHARSMAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace deberta::tokenizer {

class Charsmap {
 public:
  // InvalidArgument if the sizes do not fit or the strings are not UTF-8.
  static absl::StatusOr<Charsmap> Parse(std::string_view bytes);

  // What the SHORTEST prefix of `key` that the map has becomes, as the
  // `tokenizers` library does it (SentencePiece takes the longest). A key is
  // read up to its first NUL. nullopt if the map has no prefix of it; also if a
  // damaged map leads outside of itself or to more than 256 bytes.
  std::optional<std::string_view> Find(std::string_view key) const;

  struct Match {
    size_t length;  // bytes of the key
    std::string_view content;
  };
  // What the LONGEST prefix of `text` that the map has becomes, as
  // SentencePiece does it. Prefixes of more than 256 bytes, which no real map
  // has, are not found.
  std::optional<Match> FindLongest(std::string_view text) const;

  // True if Find() is nullopt for the one-byte key `c`.
  bool KeepsAscii(unsigned char c) const { return c < 128 && keeps_[c]; }

  size_t resident_bytes() const {
    return units_.capacity() * sizeof(uint32_t) + strings_.capacity();
  }

 private:
  // A walk through the trie.
  struct Step {
    size_t node;
    bool leaf;  // what was read so far is a key
  };

  Charsmap(std::vector<uint32_t> units, std::string strings);

  // Moves on by one byte; false if no key goes on like that.
  bool Advance(char byte, Step* step) const;
  // The content of the key that ends at a leaf.
  std::optional<std::string_view> Content(size_t node) const;

  std::vector<uint32_t> units_;
  std::string strings_;
  std::array<bool, 128> keeps_{};
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_NORMALIZATION_CHARSMAP_H_
