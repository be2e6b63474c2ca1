// Byte-pair encoding over characters, as the `tokenizers` library runs it:
// characters that are no token become bytes (<0xNN>) or unknown.

#ifndef TOKENIZER_SEGMENTATION_BPE_H_
#define TOKENIZER_SEGMENTATION_BPE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tokenizer/segmentation/bpe_merges.h"
#include "tokenizer/segmentation/vocabulary.h"
#include "tokenizer/segmentation/word_model.h"

namespace deberta::tokenizer {

struct BpeOptions {
  std::vector<std::pair<std::string, int32_t>> vocabulary = {};
  // Rank is position. Of equal pairs the last one counts.
  std::vector<std::pair<std::string, std::string>> merges = {};
  // The same by ids, which must be the vocabulary's; behind `merges` in rank.
  struct Merge {
    int32_t left;
    int32_t right;
    int32_t joined;
  };
  std::vector<Merge> merges_by_id = {};
  // What a character becomes that is no token; without it, nothing.
  std::optional<std::string> unk_token = std::nullopt;
  // Before each character but the first, and after the last.
  std::string continuing_subword_prefix = {};
  std::string end_of_word_suffix = {};
  bool fuse_unk = false;       // a run of unknown characters is one token
  bool byte_fallback = false;  // where the vocabulary has all of its bytes
  bool ignore_merges = false;  // a word that is a token is that token
};

class Bpe : public WordModel {
 public:
  // InvalidArgument as Vocabulary::Create() and BpeMerges::Add() have it, and
  // if `unk_token` is not in the vocabulary.
  static absl::StatusOr<std::unique_ptr<Bpe>> Create(const BpeOptions& options);

  void AppendWord(std::string_view word, std::span<const Span> spans,
                  int32_t word_index, TokenSequence* out) const override;
  std::optional<int32_t> TokenToId(std::string_view token) const override {
    return vocabulary_.TokenToId(token);
  }
  std::string_view IdToToken(int32_t id) const override {
    return vocabulary_.IdToToken(id);
  }
  int32_t vocab_size() const override { return vocabulary_.size(); }
  int32_t entries() const override { return vocabulary_.entries(); }
  bool marks_continuations() const override { return !prefix_.empty(); }
  size_t resident_bytes() const override {
    return vocabulary_.resident_bytes() + merges_.resident_bytes();
  }

 private:
  class Speller;

  Bpe() = default;

  Vocabulary vocabulary_;
  BpeMerges merges_;
  std::array<int32_t, 256> byte_ids_{};  // of <0xNN>; -1: no token
  int32_t unk_id_ = -1;                  // -1: none
  std::string prefix_;
  std::string suffix_;
  bool fuse_unk_ = false;
  bool byte_fallback_ = false;
  bool ignore_merges_ = false;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_BPE_H_
