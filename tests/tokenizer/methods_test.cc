// The four methods of the reference's tokenizers, against what they gave
// (tests/golden/make_tokenizer_golden.py methods).

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/tokenizer/golden_cases.h"
#include "tokenizer/files/vocabulary_json.h"
#include "tokenizer/loader.h"

namespace deberta::tokenizer {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<int32_t>;

const fs::path kTokenizers = GoldenDirectory() / "tokenizers";

class MethodsTest : public testing::TestWithParam<const char*> {
 protected:
  MethodsTest()
      : directory_(kTokenizers / GetParam()),
        target_(fs::path(testing::TempDir()) /
                ("methods_test_" + std::string(GetParam()) +
                 std::to_string(getpid()))) {
    fs::create_directories(target_ / "source");
  }
  ~MethodsTest() override { fs::remove_all(target_); }

  // The directory with only these files.
  std::string With(const std::vector<const char*>& names) {
    for (const char* name : names) {
      fs::copy_file(directory_ / name, target_ / "source" / name);
    }
    return (target_ / "source").string();
  }

  const fs::path directory_;
  const fs::path target_;
};

TEST_P(MethodsTest, AddAndTellSpecialTokens) {
  const auto tokenizer = LoadTokenizer(directory_.string());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const Tokenizer& t = **tokenizer;
  const auto golden =
      nlohmann::json::parse(ReadFile(directory_ / "methods.json"));
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

// The golden directories' raw files are what the reference saved.
TEST_P(MethodsTest, SavesTheVocabulary) {
  const bool v2 = fs::exists(directory_ / "spm.model");
  const std::string source =
      With(v2 ? std::vector{"tokenizer.json", "spm.model"}
              : std::vector{"tokenizer.json"});
  const auto saved = SaveVocabulary(source, target_.string());
  ASSERT_TRUE(saved.ok()) << saved.status();
  for (const char* name : v2 ? std::vector{"spm.model"}
                             : std::vector{"vocab.json", "merges.txt"}) {
    EXPECT_THAT(*saved, testing::Contains((target_ / name).string()));
    EXPECT_EQ(ReadFile(target_ / name), ReadFile(directory_ / name)) << name;
  }
}

TEST_P(MethodsTest, SavesRawFilesAsTheyWere) {
  const bool v2 = fs::exists(directory_ / "spm.model");
  const std::vector<const char*> names =
      v2 ? std::vector{"spm.model"} : std::vector{"vocab.json", "merges.txt"};
  const auto saved = SaveVocabulary(With(names), target_.string());
  ASSERT_TRUE(saved.ok()) << saved.status();
  for (const char* name : names) {
    EXPECT_EQ(ReadFile(target_ / name), ReadFile(directory_ / name)) << name;
  }
}

TEST_P(MethodsTest, SaysWhyAVocabularyIsNotSaved) {
  if (!fs::exists(directory_ / "spm.model")) {
    const auto saved = SaveVocabulary(With({"tokenizer.json"}),
                                      (target_ / "missing").string());
    EXPECT_EQ(saved.status().code(), absl::StatusCode::kUnavailable);
    return;
  }
  const auto saved = SaveVocabulary(With({"tokenizer.json"}), target_.string());
  EXPECT_EQ(saved.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(saved.status().message()),
              testing::HasSubstr("spm.model"));
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
