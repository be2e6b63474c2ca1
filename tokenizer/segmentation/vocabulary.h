// Tokens and their ids, in any order and with gaps.

#ifndef TOKENIZER_SEGMENTATION_VOCABULARY_H_
#define TOKENIZER_SEGMENTATION_VOCABULARY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace deberta::tokenizer {

// Immutable. May be moved: the text that views point to stays where it is.
class Vocabulary {
 public:
  // Ids lie in [0, kMaxIds).
  static constexpr int32_t kMaxIds = 1 << 22;

  // InvalidArgument if there are no tokens, or one is not UTF-8, occurs twice
  // or has an id out of range or of another token.
  static absl::StatusOr<Vocabulary> Create(
      std::span<const std::pair<std::string, int32_t>> tokens);

  Vocabulary() = default;
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  std::optional<int32_t> TokenToId(std::string_view token) const;
  // "" for an id that no token has.
  std::string_view IdToToken(int32_t id) const;
  // By id; empty where no token has the id.
  std::span<const std::string_view> tokens() const { return tokens_; }
  // One more than the largest id.
  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }
  // How many tokens there are.
  int32_t entries() const { return static_cast<int32_t>(ids_.size()); }
  size_t resident_bytes() const;

 private:
  std::vector<char> text_;  // of all tokens
  std::vector<std::string_view> tokens_;
  absl::flat_hash_map<absl::string_view, int32_t> ids_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_VOCABULARY_H_
