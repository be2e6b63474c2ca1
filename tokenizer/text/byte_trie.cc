#include "tokenizer/text/byte_trie.h"

#include <algorithm>

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
    entries_.push_back({0, kNoId, kNoTable});
    for (; begin < end && pieces[order[begin]].size() == depth; ++begin) {
      entries_.back().id = static_cast<int32_t>(order[begin]);
    }
    entries_.back().first_child = static_cast<uint32_t>(below.size());
    while (begin < end) {
      const char label = pieces[order[begin]][depth];
      uint32_t next = begin + 1;
      while (next < end && pieces[order[next]][depth] == label) ++next;
      below.push_back({begin, next});
      labels_.push_back(static_cast<uint8_t>(label));
      begin = next;
    }
  }
  entries_.push_back({static_cast<uint32_t>(below.size()), kNoId, kNoTable});
  entries_.shrink_to_fit();
  labels_.shrink_to_fit();
  AddTables();
}

void PieceTrie::AddTables() {
  for (size_t node = 0; node + 1 < entries_.size(); ++node) {
    const uint32_t begin = entries_[node].first_child;
    const uint32_t end = entries_[node + 1].first_child;
    if (end - begin < kManyChildren) continue;
    if (tables_.size() == kMaxTables) return;
    entries_[node].table = static_cast<uint32_t>(tables_.size());
    Table& table = tables_.emplace_back();
    table.fill(kNone);
    for (Node child = begin; child < end; ++child) {
      table[labels_[child]] = child;
    }
  }
}

int32_t PieceTrie::Find(std::string_view text) const {
  Node node = kRoot;
  for (const char c : text) {
    node = Child(node, static_cast<unsigned char>(c));
    if (node == kNone) return kNoId;
  }
  return id(node);
}

size_t PieceTrie::resident_bytes() const {
  return entries_.capacity() * sizeof(Entry) + labels_.capacity() +
         tables_.capacity() * sizeof(Table);
}

}  // namespace deberta::tokenizer
