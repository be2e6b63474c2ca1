// Texts that are cut into words already, against transformers 4.57.1.

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/tokenizer/golden_cases.h"
#include "tokenizer/loader.h"

namespace deberta::tokenizer {
namespace {

using nlohmann::json;

TEST(SplitWordsTest, EqualTheReference) {
  const json cases =
      json::parse(ReadFile(GoldenDirectory() / "words/tokens.json"));
  ASSERT_GE(cases.size(), 50u);
  for (const char* name : {"mdeberta-folded", "v1", "v1-quirks", "v2-punct",
                           "v3-lower", "v3-multilingual"}) {
    const auto tokenizer =
        LoadTokenizer(GoldenDirectory() / "tokenizers" / name);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    for (const json& c : cases) {
      SCOPED_TRACE(std::string(name) + " " + c["words"].dump());
      const auto words = c["words"].get<std::vector<std::string>>();
      const std::vector<std::string_view> views(words.begin(), words.end());
      const auto tokens = (*tokenizer)->TokenizeWords(views);
      ASSERT_TRUE(tokens.ok()) << tokens.status();
      EXPECT_EQ(tokens->ids, c[name][0].get<std::vector<int32_t>>());
      EXPECT_EQ(tokens->words, c[name][1].get<std::vector<int32_t>>());
      EXPECT_EQ(tokens->offsets.size(), tokens->ids.size());
    }
  }
}

TEST(SplitWordsTest, NoWordsHaveNoTokens) {
  const auto tokenizer = LoadTokenizer(GoldenDirectory() / "tokenizers/v1");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const auto tokens = (*tokenizer)->TokenizeWords({});
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_EQ(tokens->size(), 0u);
}

TEST(SplitWordsTest, RefusesWhatIsNotUtf8) {
  const auto tokenizer = LoadTokenizer(GoldenDirectory() / "tokenizers/v1");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const std::vector<std::string_view> words = {"a", "\xFF"};
  EXPECT_EQ((*tokenizer)->TokenizeWords(words).status().message(),
            "text: expected UTF-8, got an invalid byte at offset 0");
}

}  // namespace
}  // namespace deberta::tokenizer
