// The special-token methods of the reference's tokenizers, against what they
// gave (tests/golden/generators/make_tokenizer_golden.py methods).

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/tokenizer/golden_cases.h"
#include "tokenizer/loader.h"

namespace deberta::tokenizer {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<int32_t>;

const fs::path kTokenizers = GoldenDirectory() / "tokenizers";

class MethodsTest : public testing::TestWithParam<const char*> {};

TEST_P(MethodsTest, AddAndTellSpecialTokens) {
  const fs::path directory = kTokenizers / GetParam();
  const auto tokenizer = LoadTokenizer(directory.string());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const Tokenizer& t = **tokenizer;
  const auto golden =
      nlohmann::json::parse(ReadFile(directory / "methods.json"));
  const auto expected = [&](const char* key) { return golden[key].get<Ids>(); };
  const Ids a = expected("a");
  const Ids b = expected("b");
  EXPECT_EQ(t.BuildInputsWithSpecialTokens(a), expected("inputs"));
  EXPECT_EQ(t.BuildInputsWithSpecialTokens(a, b), expected("pair_inputs"));
  EXPECT_EQ(t.CreateTokenTypeIdsFromSequences(a), expected("types"));
  EXPECT_EQ(t.CreateTokenTypeIdsFromSequences(a, b), expected("pair_types"));
  EXPECT_EQ(t.GetSpecialTokensMask(a), expected("mask"));
  EXPECT_EQ(t.GetSpecialTokensMask(a, b), expected("pair_mask"));
  EXPECT_EQ(t.GetSpecialTokensMaskOf(expected("ids")), expected("mask_of_ids"));
}

std::string NameOf(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, MethodsTest,
                         testing::Values("v1", "v1-quirks", "v2-punct",
                                         "v3-lower", "v3-multilingual",
                                         "mdeberta-folded"),
                         NameOf);

}  // namespace
}  // namespace deberta::tokenizer
