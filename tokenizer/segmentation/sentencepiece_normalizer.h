// SentencePiece's own normaliser (sentencepiece 0.2, src/normalizer.cc): user
// defined pieces as they are, else the longest match of the character map;
// white space collapsed; a dummy prefix (spec 5.3, profile spm).

#ifndef TOKENIZER_SEGMENTATION_SENTENCEPIECE_NORMALIZER_H_
#define TOKENIZER_SEGMENTATION_SENTENCEPIECE_NORMALIZER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/normalization/charsmap.h"
#include "tokenizer/segmentation/spm_model.h"
#include "tokenizer/text/byte_trie.h"

namespace deberta::tokenizer {

// Immutable.
class SpmNormalizer {
 public:
  struct Output {
    std::string text;  // UTF-8
    // [text.size() + 1]: the byte of the input that each byte of `text` comes
    // from, and where the last one ends. Empty if `text` is.
    std::vector<uint32_t> origins;
  };

  // InvalidArgument if the character map is malformed.
  static absl::StatusOr<SpmNormalizer> Create(const SpmModel& model);

  // Replaces what `out` holds. REQUIRES: `text` is valid UTF-8, below 4 GiB.
  void Normalize(std::string_view text, Output* out) const;

  // What stands for a space: U+2581, or a space without escape_whitespaces.
  std::string_view space() const { return space_; }
  size_t resident_bytes() const;

 private:
  struct Prefix {
    size_t length;  // bytes of the input
    std::string_view content;
  };

  explicit SpmNormalizer(const SpmModel& model);

  // The first unit of a non-empty text, and what it becomes.
  Prefix NormalizePrefix(std::string_view text) const;
  void AppendSpace(size_t origin, Output* out) const;
  void AppendContent(std::string_view content, size_t origin,
                     Output* out) const;
  // Where the text ends once its trailing spaces are gone.
  size_t StripRight(size_t end, Output* out) const;

  std::optional<Charsmap> charsmap_;
  std::optional<PieceTrie> user_defined_;
  std::string_view space_;
  bool add_dummy_prefix_;
  bool remove_extra_whitespaces_;
  bool whitespace_is_suffix_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_SENTENCEPIECE_NORMALIZER_H_
