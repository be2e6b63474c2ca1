// A byte trie over the pieces of a vocabulary: 9 bytes a node, built once.

#ifndef TOKENIZER_PIECE_TRIE_H_
#define TOKENIZER_PIECE_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace deberta::tokenizer {

// Nodes are in breadth-first order, so the children of a node lie side by side,
// sorted by label.
class PieceTrie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = UINT32_MAX;
  static constexpr int32_t kNoId = -1;

  // The id of a piece is its position; of equal pieces the last one counts.
  // REQUIRES: the pieces hold fewer than 2^32 - 1 bytes together.
  explicit PieceTrie(std::span<const std::string_view> pieces);

  // kNone if `node` has no such child.
  Node Child(Node node, unsigned char label) const;
  // The piece that ends at `node`, or kNoId.
  int32_t id(Node node) const { return ids_[node]; }
  // The piece that is exactly `text`, or kNoId.
  int32_t Find(std::string_view text) const;

  size_t resident_bytes() const;

 private:
  std::vector<uint32_t> first_child_;  // [nodes + 1]
  std::vector<uint8_t> labels_;        // [nodes]; of the edge to the node
  std::vector<int32_t> ids_;           // [nodes]
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_PIECE_TRIE_H_
