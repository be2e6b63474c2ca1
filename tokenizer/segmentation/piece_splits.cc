#include "tokenizer/segmentation/piece_splits.h"

#include <string>

namespace deberta::tokenizer {
namespace {

ByteTrie TrieOfReversed(std::span<const std::string_view> pieces) {
  std::vector<std::string> reversed;
  reversed.reserve(pieces.size());
  for (const std::string_view piece : pieces) {
    reversed.emplace_back(piece.rbegin(), piece.rend());
  }
  return ByteTrie(
      std::vector<std::string_view>(reversed.begin(), reversed.end()));
}

}  // namespace

PieceSplits::PieceSplits(std::span<const std::string_view> pieces)
    : prefixes_(pieces), suffixes_(TrieOfReversed(pieces)) {}

std::span<const PieceSplits::Split> PieceSplits::Of(std::string_view piece) {
  suffix_ids_.assign(piece.size(), ByteTrie::kNoId);
  ByteTrie::Node node = ByteTrie::kRoot;
  for (size_t begin = piece.size(); begin-- > 0;) {
    node = suffixes_.Child(node, static_cast<unsigned char>(piece[begin]));
    if (node == ByteTrie::kNone) break;
    suffix_ids_[begin] = suffixes_.id(node);
  }
  splits_.clear();
  node = ByteTrie::kRoot;
  for (size_t end = 1; end < piece.size(); ++end) {
    node = prefixes_.Child(node, static_cast<unsigned char>(piece[end - 1]));
    if (node == ByteTrie::kNone) break;
    const int32_t left = prefixes_.id(node);
    const int32_t right = suffix_ids_[end];
    if (left == ByteTrie::kNoId || right == ByteTrie::kNoId) continue;
    splits_.push_back({left, right, static_cast<uint32_t>(end)});
  }
  return splits_;
}

}  // namespace deberta::tokenizer
