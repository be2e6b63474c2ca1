#include "tokenizer/files/tokenizer_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace deberta::tokenizer {
namespace {

using ::testing::HasSubstr;

class TokenizerFilesTest : public ::testing::Test {
 protected:
  TokenizerFilesTest()
      : directory_(
            ::testing::TempDir() + "/tokenizer_files_test_" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~TokenizerFilesTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, std::string_view bytes) {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << bytes;
  }

  TokenizerSource Source(Profile profile) {
    const auto files = ReadTokenizerFiles(directory_, profile);
    EXPECT_TRUE(files.ok()) << files.status();
    return files.ok() ? files->source : TokenizerSource::kTokenizerJson;
  }

  const std::string directory_;
};

TEST_F(TokenizerFilesTest, TokenizerJsonCountsBeforeRawFiles) {
  Write("tokenizer.json", "t");
  Write("spm.model", "s");
  Write("added_tokens.json", "a");
  const auto files = ReadTokenizerFiles(directory_, Profile::kHf4);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->source, TokenizerSource::kTokenizerJson);
  EXPECT_EQ(files->model, "t");
  EXPECT_EQ(files->added_tokens, "a");
  EXPECT_EQ(files->tokenizer_config, std::nullopt);
}

TEST_F(TokenizerFilesTest, TheSpmProfileNeedsSpmModel) {
  Write("tokenizer.json", "t");
  const auto files = ReadTokenizerFiles(directory_, Profile::kSpm);
  EXPECT_EQ(files.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(files.status().message()), HasSubstr("spm.model"));
  Write("spm.model", "s");
  EXPECT_EQ(Source(Profile::kSpm), TokenizerSource::kSpm);
}

TEST_F(TokenizerFilesTest, RawFilesOfBothFamiliesNeedAWordFromAConfig) {
  Write("vocab.json", "v");
  Write("merges.txt", "m");
  EXPECT_EQ(Source(Profile::kHf4), TokenizerSource::kVocabAndMerges);
  Write("spm.model", "s");
  const auto files = ReadTokenizerFiles(directory_, Profile::kHf4);
  EXPECT_EQ(files.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(files.status().message()),
              HasSubstr("tokenizer_class"));
  Write("config.json", R"({"model_type": "deberta-v2"})");
  EXPECT_EQ(Source(Profile::kHf4), TokenizerSource::kSpm);
  Write("config.json", R"({"model_type": "deberta"})");
  EXPECT_EQ(Source(Profile::kHf4), TokenizerSource::kVocabAndMerges);
  // Says more than the model does.
  Write("tokenizer_config.json",
        R"({"tokenizer_class": "DebertaV2Tokenizer"})");
  EXPECT_EQ(Source(Profile::kHf4), TokenizerSource::kSpm);
  Write("tokenizer_config.json", R"({"tokenizer_class": "DebertaTokenizer"})");
  EXPECT_EQ(Source(Profile::kHf4), TokenizerSource::kVocabAndMerges);
  EXPECT_EQ(Source(Profile::kSpm), TokenizerSource::kSpm);
}

TEST(ProfileTest, NamesAreReadAsTheyAreWritten) {
  for (const Profile profile : {Profile::kHf4, Profile::kHf5, Profile::kSpm}) {
    EXPECT_EQ(*ParseProfile(ProfileName(profile)), profile);
  }
  EXPECT_THAT(std::string(ParseProfile("HF4").status().message()),
              HasSubstr("\"HF4\""));
}

}  // namespace
}  // namespace deberta::tokenizer
