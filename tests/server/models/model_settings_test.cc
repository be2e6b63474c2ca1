#include "server/models/model_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

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

TEST_F(ModelSettingsTest, ReadsMaxTokens) {
  const auto settings = Read(R"({"max_tokens": 4096})");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->max_tokens, 4096u);
  for (const char* value :
       {"-1", "1.5", "\"4096\"", "true", "2147483648", "[4096]", "null"}) {
    EXPECT_THAT(ErrorOf(std::string(R"({"max_tokens": )") + value + "}"),
                HasSubstr("max_tokens: expected a whole number"));
  }
}

TEST_F(ModelSettingsTest, ReadsCalibrationTexts) {
  const auto settings = Read(R"({"calibration": ["one",
      {"text": "two", "text_pair": "more"},
      {"text": "which?", "choices": ["this", "that"]}]})");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const std::vector<TextInput>& texts = settings->calibration;
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_EQ(texts[0].text, "one");
  EXPECT_EQ(texts[0].text_pair, "");
  EXPECT_EQ(texts[1].text, "two");
  EXPECT_EQ(texts[1].text_pair, "more");
  EXPECT_THAT(texts[2].choices, testing::ElementsAre("this", "that"));
}

TEST_F(ModelSettingsTest, BadCalibrationTextsAreNamed) {
  const auto error = [&](const std::string& value) {
    return ErrorOf("{\"calibration\": " + value + "}");
  };
  EXPECT_THAT(error("\"one\""), HasSubstr("expected an array, got string"));
  EXPECT_THAT(error("[]"), HasSubstr("expected 1 to 1000 texts, got 0"));
  EXPECT_THAT(error("[\"a\", 7]"),
              HasSubstr("calibration[1]: expected a string or an object, got "
                        "number"));
  EXPECT_THAT(error("[\"\"]"), HasSubstr("got an empty one"));
  EXPECT_THAT(error(R"([{"text": 1}])"),
              HasSubstr("calibration[0].text: expected a string"));
  EXPECT_THAT(error(R"([{"text_pair": "b"}])"), HasSubstr("expected text"));
  EXPECT_THAT(error(R"([{"text": "a", "pair": "b"}])"),
              HasSubstr("calibration[0].pair: expected text, text_pair or"));
  EXPECT_THAT(error(R"([{"text": "a", "choices": []}])"),
              HasSubstr("calibration[0].choices: expected 1 to 100"));
  EXPECT_THAT(error(R"([{"text": "a", "choices": ["b", null]}])"),
              HasSubstr("calibration[0].choices[1]: expected a string"));
  EXPECT_THAT(error(R"([{"text": "a", "text_pair": "b", "choices": ["c"]}])"),
              HasSubstr("at most one of text_pair and choices"));
  std::string many = "[\"a\"";
  for (int i = 0; i < 1000; ++i) many += ",\"a\"";
  EXPECT_THAT(error(many + "]"), HasSubstr("got 1001"));
  error("[{\"" + std::string(10000, 'k') + "\": 1}]");
}

TEST_F(ModelSettingsTest, WhatIsNoSuchObjectIsAnError) {
  for (const char* text :
       {"", "{", "[]", "null", "\"emd\"", "{\"fill_mask\": {}}",
        "{\"fill_mask\": [\"emd\"]}", "{\"calibration\": [[[[\"deep\"]]]]}",
        "{\"calibration\": [{\"text\": \"a\", \"text\": \"b\"}]}",
        "{\"fill_mask\": \"\xff\"}",
        "{\"fill_mask\": \"emd\", \"fill_mask\": \"plain\"}", "{} {}"}) {
    ErrorOf(text);
  }
  ErrorOf(std::string(60000, '['));
}

TEST_F(ModelSettingsTest, LargeFilesAndDirectoriesAreErrors) {
  EXPECT_THAT(ErrorOf("{" + std::string(1 << 20, ' ') + "}"),
              HasSubstr("at most"));
  std::filesystem::remove(directory_ + "/deberta.json");
  std::filesystem::create_directory(directory_ + "/deberta.json");
  EXPECT_TRUE(absl::IsInvalidArgument(ReadModelSettings(directory_).status()));
}

}  // namespace
}  // namespace deberta::server
