#include "server/model_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace deberta::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ModelSettingsTest : public testing::Test {
 protected:
  ModelSettingsTest()
      : directory_(
            testing::TempDir() + "/settings_" +
            testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::create_directories(directory_);
  }
  ~ModelSettingsTest() override { std::filesystem::remove_all(directory_); }

  absl::StatusOr<ModelSettings> Read(const std::string& text) {
    std::ofstream(directory_ + "/deberta.json") << text;
    return ReadModelSettings(directory_);
  }
  std::string ErrorOf(const std::string& text) {
    const auto settings = Read(text);
    EXPECT_TRUE(absl::IsInvalidArgument(settings.status())) << text;
    EXPECT_THAT(std::string(settings.status().message()),
                HasSubstr("deberta.json"));
    EXPECT_LT(settings.status().message().size(), 200u);
    return std::string(settings.status().message());
  }

  const std::string directory_;
};

TEST_F(ModelSettingsTest, NoFileSetsNothing) {
  const auto settings = ReadModelSettings(directory_);
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->fill_mask, std::nullopt);
  EXPECT_EQ(settings->tokenizer_profile, std::nullopt);
}

TEST_F(ModelSettingsTest, ReadsEachKey) {
  const auto settings =
      Read(R"({"fill_mask": "emd", "tokenizer_profile": "spm"})");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->fill_mask, model::FillMaskDecoder::kEnhanced);
  EXPECT_EQ(settings->tokenizer_profile, tokenizer::Profile::kSpm);
  const auto one = Read(R"({"fill_mask": "legacy"})");
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->fill_mask, model::FillMaskDecoder::kLegacy);
  EXPECT_EQ(one->tokenizer_profile, std::nullopt);
  EXPECT_TRUE(Read("{}").ok());
}

TEST_F(ModelSettingsTest, UnknownKeysAndValuesAreErrors) {
  EXPECT_THAT(ErrorOf(R"({"fillmask": "emd"})"),
              AllOf(HasSubstr("expected the keys"), HasSubstr("fillmask")));
  EXPECT_THAT(ErrorOf(R"({"fill_mask": "EMD"})"),
              HasSubstr("expected emd, plain or legacy, got \"EMD\""));
  EXPECT_THAT(ErrorOf(R"({"fill_mask": 1})"), HasSubstr("expected a string"));
  EXPECT_THAT(ErrorOf(R"({"tokenizer_profile": "hf3"})"), HasSubstr("hf3"));
  ErrorOf("{\"" + std::string(10000, 'k') + "\": \"v\"}");
  ErrorOf("{\"fill_mask\": \"" + std::string(10000, 'v') + "\"}");
}

TEST_F(ModelSettingsTest, WhatIsNoFlatObjectIsAnError) {
  for (const char* text :
       {"", "{", "[]", "null", "\"emd\"", "{\"fill_mask\": {}}",
        "{\"fill_mask\": [\"emd\"]}", "{\"fill_mask\": \"\xff\"}",
        "{\"fill_mask\": \"emd\", \"fill_mask\": \"plain\"}", "{} {}"}) {
    ErrorOf(text);
  }
  ErrorOf(std::string(60000, '['));
}

TEST_F(ModelSettingsTest, LargeFilesAndDirectoriesAreErrors) {
  EXPECT_THAT(ErrorOf("{" + std::string(1 << 17, ' ') + "}"),
              HasSubstr("at most"));
  std::filesystem::remove(directory_ + "/deberta.json");
  std::filesystem::create_directory(directory_ + "/deberta.json");
  EXPECT_TRUE(absl::IsInvalidArgument(ReadModelSettings(directory_).status()));
}

}  // namespace
}  // namespace deberta::server
