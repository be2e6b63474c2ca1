#include "tokenizer/special_tokens/token_finder.h"

#include <vector>

namespace deberta::tokenizer {

TokenFinder::TokenFinder(const Contents& contents)
    : trie_([&] {
        std::vector<std::string_view> views;
        for (const auto& [content, id] : contents) views.push_back(content);
        return PieceTrie(views);
      }()) {
  for (const auto& [content, id] : contents) {
    ids_.push_back(id);
    starts_[static_cast<unsigned char>(content[0])] = true;
  }
}

TextPiece TokenFinder::Find(std::string_view text, size_t from) const {
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (!starts_[static_cast<unsigned char>(text[begin])]) continue;
    TextPiece longest;
    PieceTrie::Node node = PieceTrie::kRoot;
    for (size_t i = begin; i < text.size(); ++i) {
      node = trie_.Child(node, static_cast<unsigned char>(text[i]));
      if (node == PieceTrie::kNone) break;
      const int32_t found = trie_.id(node);
      if (found == PieceTrie::kNoId) continue;
      longest = {ids_[static_cast<size_t>(found)], begin, i + 1};
    }
    if (longest.id >= 0) return longest;
  }
  return {};
}

}  // namespace deberta::tokenizer
