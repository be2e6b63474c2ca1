#include "tokenizer/piece_trie.h"

#include <algorithm>
#include <cstring>

namespace deberta::tokenizer {
namespace {

struct SortKey {
  uint64_t prefix;  // first eight bytes, big-endian
  uint32_t index;
};

uint64_t Prefix(std::string_view piece) {
  uint64_t prefix = 0;
  for (size_t i = 0; i < sizeof(prefix); ++i) {
    prefix = prefix << 8 |
             (i < piece.size() ? static_cast<unsigned char>(piece[i]) : 0U);
  }
  return prefix;
}

// Positions of the pieces in the order of (bytes, position).
std::vector<uint32_t> SortedOrder(std::span<const std::string_view> pieces) {
  std::vector<SortKey> keys(pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    keys[i] = {Prefix(pieces[i]), static_cast<uint32_t>(i)};
  }
  std::sort(keys.begin(), keys.end(),
            [pieces](const SortKey& a, const SortKey& b) {
              if (a.prefix != b.prefix) return a.prefix < b.prefix;
              const int order = pieces[a.index].compare(pieces[b.index]);
              return order != 0 ? order < 0 : a.index < b.index;
            });
  std::vector<uint32_t> order(keys.size());
  std::transform(keys.begin(), keys.end(), order.begin(),
                 [](const SortKey& key) { return key.index; });
  return order;
}

}  // namespace

PieceTrie::PieceTrie(std::span<const std::string_view> pieces) {
  struct Range {  // of `order`: the pieces below a node
    uint32_t begin;
    uint32_t end;
  };
  const std::vector<uint32_t> order = SortedOrder(pieces);
  std::vector<Range> below = {{0, static_cast<uint32_t>(order.size())}};
  labels_.push_back(0);
  size_t depth = 0;
  size_t level_end = 1;
  for (size_t node = 0; node < below.size(); ++node) {
    if (node == level_end) {
      ++depth;
      level_end = below.size();
    }
    auto [begin, end] = below[node];
    ids_.push_back(kNoId);
    for (; begin < end && pieces[order[begin]].size() == depth; ++begin) {
      ids_.back() = static_cast<int32_t>(order[begin]);
    }
    first_child_.push_back(static_cast<uint32_t>(below.size()));
    while (begin < end) {
      const char label = pieces[order[begin]][depth];
      uint32_t next = begin + 1;
      while (next < end && pieces[order[next]][depth] == label) ++next;
      below.push_back({begin, next});
      labels_.push_back(static_cast<uint8_t>(label));
      begin = next;
    }
  }
  first_child_.push_back(static_cast<uint32_t>(below.size()));
  first_child_.shrink_to_fit();
  labels_.shrink_to_fit();
  ids_.shrink_to_fit();
}

PieceTrie::Node PieceTrie::Child(Node node, unsigned char label) const {
  const uint32_t begin = first_child_[node];
  const uint32_t count = first_child_[node + 1] - begin;
  if (count == 0) return kNone;
  const uint8_t* labels = labels_.data() + begin;
  const void* found = std::memchr(labels, label, count);
  if (found == nullptr) return kNone;
  return begin + static_cast<Node>(static_cast<const uint8_t*>(found) - labels);
}

int32_t PieceTrie::Find(std::string_view text) const {
  Node node = kRoot;
  for (const char c : text) {
    node = Child(node, static_cast<unsigned char>(c));
    if (node == kNone) return kNoId;
  }
  return ids_[node];
}

size_t PieceTrie::resident_bytes() const {
  return first_child_.capacity() * sizeof(uint32_t) + labels_.capacity() +
         ids_.capacity() * sizeof(int32_t);
}

}  // namespace deberta::tokenizer
