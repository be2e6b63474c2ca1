#include "tokenizer/text/byte_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace deberta::tokenizer {
namespace {

TEST(PieceTrieTest, FindsExactlyItsPieces) {
  const std::vector<std::string_view> pieces = {"ab",  "a",     "",
                                                "abc", "b\xFF", "ab"};
  const PieceTrie trie(pieces);
  EXPECT_EQ(trie.Find("ab"), 5);
  EXPECT_EQ(trie.Find("a"), 1);
  EXPECT_EQ(trie.Find(""), 2);
  EXPECT_EQ(trie.Find("abc"), 3);
  EXPECT_EQ(trie.Find("b\xFF"), 4);
  EXPECT_EQ(trie.Find("b"), PieceTrie::kNoId);
  EXPECT_EQ(trie.Find("abcd"), PieceTrie::kNoId);
}

TEST(PieceTrieTest, EmptyHasOnlyARoot) {
  const PieceTrie trie(std::vector<std::string_view>{});
  EXPECT_EQ(trie.Find(""), PieceTrie::kNoId);
  EXPECT_EQ(trie.Child(PieceTrie::kRoot, 0), PieceTrie::kNone);
}

// More nodes with many children than get a table.
TEST(PieceTrieTest, FindsChildrenWithAndWithoutATable) {
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) {
    for (int j = 0; j < 13; ++j) {
      texts.push_back({static_cast<char>(i % 256), static_cast<char>(i / 256),
                       static_cast<char>(j * 19)});
    }
  }
  const std::vector<std::string_view> pieces(texts.begin(), texts.end());
  const PieceTrie trie(pieces);
  for (size_t i = 0; i < pieces.size(); ++i) {
    ASSERT_EQ(trie.Find(pieces[i]), static_cast<int32_t>(i));
  }
  EXPECT_EQ(trie.Find(std::string_view("\0\0\x01", 3)), PieceTrie::kNoId);
  EXPECT_EQ(trie.Find("\x87\x13\x01"), PieceTrie::kNoId);
}

TEST(PieceTrieTest, AgreesWithAMapOnRandomPieces) {
  std::mt19937 random(7);
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (size_t n = random() % 12; n > 0; --n) {
      text.push_back(static_cast<char>("ab\0\xFE\xFF"[random() % 5]));
    }
    texts.push_back(text);
  }
  const std::vector<std::string_view> half(texts.begin(), texts.begin() + 1500);
  std::map<std::string_view, int32_t> expected;
  for (size_t i = 0; i < half.size(); ++i) {
    expected[half[i]] = static_cast<int32_t>(i);
  }
  const PieceTrie trie(half);
  for (const std::string& text : texts) {
    const auto found = expected.find(text);
    EXPECT_EQ(trie.Find(text),
              found == expected.end() ? PieceTrie::kNoId : found->second);
  }
}

}  // namespace
}  // namespace deberta::tokenizer
