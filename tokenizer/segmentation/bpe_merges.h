// Byte-pair merges over the symbols of one word (Sennrich et al., "Neural
// Machine Translation of Rare Words with Subword Units", 2016): the adjacent
// pair of the lowest rank first, the leftmost of equals.

#ifndef TOKENIZER_SEGMENTATION_BPE_MERGES_H_
#define TOKENIZER_SEGMENTATION_BPE_MERGES_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "tokenizer/segmentation/vocabulary.h"

namespace deberta::tokenizer {

// Immutable once the merges were added.
class BpeMerges {
 public:
  struct Symbol {
    int32_t id;
    uint32_t bytes;  // of the text that it stands for; at least 1
  };
  struct Rule {
    int32_t rank;
    int32_t id;
  };
  // The symbols of one word, and room to merge them. Kept from word to word.
  class Workspace {
   public:
    std::vector<Symbol> symbols;

   private:
    friend class BpeMerges;
    struct Link {
      uint32_t previous;
      uint32_t next;
    };
    static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

    std::vector<Rule> rules;  // MergeShort: of symbols i and i + 1
    std::vector<Link> links;  // MergeLong
    // MergeLong, of pairs that can be merged: the rank in the upper half, the
    // position before any merge in the lower; sorted, and a heap.
    std::vector<uint64_t> first;
    std::vector<uint64_t> later;
  };

  // Rank is position; of equal pairs the last one counts. The right one loses
  // `prefix_bytes` before it is joined. InvalidArgument if a merge's parts or
  // its result are no tokens.
  absl::Status Add(std::span<const std::pair<std::string, std::string>> merges,
                   size_t prefix_bytes, const Vocabulary& vocabulary);

  // The same of one pair by its ids, which need not be tokens of a vocabulary.
  // Pairs may have one rank.
  void Add(int32_t left, int32_t right, Rule rule) {
    rules_[PairKey(left, right)] = rule;
  }

  // Merges the symbols of `workspace` until none can be. n log n in them.
  void Merge(Workspace* workspace) const;

  size_t resident_bytes() const {
    return rules_.capacity() * (sizeof(*rules_.begin()) + 1);
  }

 private:
  static uint64_t PairKey(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 |
           static_cast<uint32_t>(right);
  }
  const Rule* FindRule(int32_t left, int32_t right) const;
  void MergeShort(Workspace* workspace) const;
  void MergeLong(Workspace* workspace) const;

  absl::flat_hash_map<uint64_t, Rule> rules_;  // by (left, right)
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_SEGMENTATION_BPE_MERGES_H_
