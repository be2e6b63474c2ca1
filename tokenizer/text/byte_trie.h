// A byte trie over the pieces of a vocabulary: 13 bytes a node, built once.

#ifndef TOKENIZER_TEXT_BYTE_TRIE_H_
#define TOKENIZER_TEXT_BYTE_TRIE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace deberta::tokenizer {

// Nodes are in breadth-first order, so the children of a node lie side by side,
// sorted by label. Nodes with many children also have a table of them.
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
  Node Child(Node node, unsigned char label) const {
    const Entry& entry = entries_[node];
    if (entry.table != kNoTable) return tables_[entry.table][label];
    const Node end = entries_[node + 1].first_child;
    for (Node child = entry.first_child; child < end; ++child) {
      if (labels_[child] == label) return child;
    }
    return kNone;
  }
  // The piece that ends at `node`, or kNoId.
  int32_t id(Node node) const { return entries_[node].id; }
  // The piece that is exactly `text`, or kNoId.
  int32_t Find(std::string_view text) const;

  size_t resident_bytes() const;

 private:
  using Table = std::array<Node, 256>;  // children by label
  static constexpr uint32_t kNoTable = UINT32_MAX;
  // With fewer, looking through the labels is as fast.
  static constexpr uint32_t kManyChildren = 12;
  // The nodes nearest to the root have them: 4 MiB at most.
  static constexpr size_t kMaxTables = 4096;

  struct Entry {
    uint32_t first_child;
    int32_t id;
    uint32_t table;
  };

  void AddTables();

  std::vector<Entry> entries_;   // [nodes + 1]
  std::vector<uint8_t> labels_;  // [nodes]; of the edge to the node
  std::vector<Table> tables_;
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_BYTE_TRIE_H_
