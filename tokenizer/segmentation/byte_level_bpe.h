// Byte-level byte-pair encoding, as GPT-2 and DeBERTa v1 use it (spec 5.2):
// text is cut by a fixed regular expression, each UTF-8 byte stands for one
// printable character, and pairs of symbols are merged by rank.

#ifndef TOKENIZER_SEGMENTATION_BYTE_LEVEL_BPE_H_
#define TOKENIZER_SEGMENTATION_BYTE_LEVEL_BPE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "tokenizer/segmentation/bpe_merges.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/segmentation/vocabulary.h"

namespace deberta::tokenizer {

struct ByteLevelBpeOptions {
  // Tokens in their printable spelling ("Ġname") with their ids.
  std::vector<std::pair<std::string, int32_t>> vocabulary = {};
  // Rank is position. Of equal pairs the last one counts.
  std::vector<std::pair<std::string, std::string>> merges = {};
  // What a byte whose character is no token becomes; without it, nothing.
  std::optional<std::string> unk_token = std::nullopt;
  // Prepends a space to each stretch that does not start with one.
  bool add_prefix_space = false;
};

// Immutable.
class ByteLevelBpe : public Segmenter {
 public:
  // InvalidArgument as Vocabulary::Create() and BpeMerges::Add() have it.
  static absl::StatusOr<std::unique_ptr<ByteLevelBpe>> Create(
      const ByteLevelBpeOptions& options);

  NormalizedText Normalize(std::string_view stretch,
                           uint32_t first_code_point) const override;
  void Segment(const NormalizedText& normalized, int32_t* next_word,
               TokenSequence* out) const override;
  std::string Decode(std::span<const std::string_view> tokens) const override;
  std::optional<int32_t> TokenToId(std::string_view token) const override;
  std::string_view IdToToken(int32_t id) const override;
  int32_t vocab_size() const override { return vocabulary_.size(); }
  size_t resident_bytes() const override;

 private:
  struct Workspace;

  ByteLevelBpe() = default;
  absl::Status FindBytes(const ByteLevelBpeOptions& options);
  void FindWholeWords();

  // The symbols of `word` after all merges, in `workspace`.
  void Merge(std::string_view word, Workspace* workspace) const;
  void AppendWord(std::string_view word, std::span<const Span> spans,
                  int32_t word_index, Workspace* workspace,
                  TokenSequence* out) const;
  void AppendShifted(std::string_view word, std::span<const Span> spans,
                     int32_t word_index, const Workspace& workspace,
                     TokenSequence* out) const;

  Vocabulary vocabulary_;
  BpeMerges merges_;
  std::array<int32_t, 256> byte_ids_{};  // -1: no token
  bool add_prefix_space_ = false;

  // Words (raw bytes) whose merges end in one token: most words of a text.
  std::string whole_text_;
  absl::flat_hash_map<absl::string_view, int32_t> whole_words_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_BYTE_LEVEL_BPE_H_
