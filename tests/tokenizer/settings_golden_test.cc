// Directories whose files have other settings than DeBERTa's own, against what
// transformers 4.57.1 and 5.24 made of them
// (tests/golden/generators/make_settings_golden.py).

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tokenizer/golden_cases.h"
#include "tokenizer/loader.h"

namespace deberta::tokenizer {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

struct Parameter {
  const char* file;
  const char* version;
  Profile profile;
  // Of 4.57.1's some files look as version 5 writes them.
  bool is_asked_for;
};

class SettingsGoldenTest : public testing::TestWithParam<Parameter> {
 protected:
  SettingsGoldenTest()
      : directory_(fs::path(testing::TempDir()) /
                   (std::string("settings_golden_") + GetParam().file)) {}
  ~SettingsGoldenTest() override { fs::remove_all(directory_); }

  // The case's directory, as the script makes it.
  void Make(const Json& test) {
    fs::remove_all(directory_);
    const std::string base = test["base"];
    fs::copy(GoldenDirectory() / "tokenizers" / base, directory_);
    for (const std::string name : test["left_out"]) {
      fs::remove(directory_ / name);
    }
    const char* family = base.starts_with("v1") ? "deberta" : "deberta-v2";
    Write("config.json", Json{{"model_type", family},
                              {"transformers_version", GetParam().version}}
                             .dump());
    for (const auto& [name, change] : test["changes"].items()) {
      if (change.is_string()) {
        Write(name, change.get<std::string>());
        continue;
      }
      Json file = Json::parse(ReadFile(directory_ / name));
      for (const auto& [pointer, value] : change.items()) {
        file[Json::json_pointer(pointer)] = value;
      }
      Write(name, file.dump());
    }
  }

  void Write(const std::string& name, const std::string& bytes) {
    fs::remove(directory_ / name);
    std::ofstream(directory_ / name, std::ios::binary) << bytes;
  }

  const fs::path directory_;
};

Encoding Encode(const Tokenizer& tokenizer, const Json& texts) {
  const TokenSequence a = *tokenizer.Tokenize(texts[0].get<std::string>());
  if (texts[1].is_null()) return tokenizer.Assemble(a, nullptr);
  const TokenSequence b = *tokenizer.Tokenize(texts[1].get<std::string>());
  return tokenizer.Assemble(a, &b);
}

// Ids, types, special tokens mask, starts and ends.
std::vector<std::vector<int64_t>> Rows(const Encoding& encoding) {
  std::vector<std::vector<int64_t>> rows(5);
  rows[0].assign(encoding.ids.begin(), encoding.ids.end());
  rows[1].assign(encoding.type_ids.begin(), encoding.type_ids.end());
  rows[2].assign(encoding.special_tokens_mask.begin(),
                 encoding.special_tokens_mask.end());
  for (const Span& span : encoding.offsets) {
    rows[3].push_back(span.start);
    rows[4].push_back(span.end);
  }
  return rows;
}

Side SideNamed(const std::string& name) {
  return name == "left" ? Side::kLeft : Side::kRight;
}

TEST_P(SettingsGoldenTest, EveryEncodingEqualsTheReference) {
  const auto [name, version, profile, is_asked_for] = GetParam();
  const Json golden =
      Json::parse(ReadFile(GoldenDirectory() / "settings" / name));
  ASSERT_EQ(golden["transformers"], version);
  ASSERT_GE(golden["cases"].size(), 74u);
  for (const Json& test : golden["cases"]) {
    SCOPED_TRACE(test["base"].get<std::string>() + " " +
                 test["name"].get<std::string>());
    Make(test);
    LoadOptions options;
    if (is_asked_for) options.profile = profile;
    const auto tokenizer = LoadTokenizer(directory_.string(), options);
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
    if (!tokenizer.ok()) continue;
    EXPECT_EQ((*tokenizer)->profile(), profile);
    EXPECT_EQ((*tokenizer)->padding_side(), SideNamed(test["padding_side"]));
    EXPECT_EQ((*tokenizer)->truncation_side(),
              SideNamed(test["truncation_side"]));
    if (test["cls_id"].is_number()) {
      EXPECT_EQ((*tokenizer)->special_ids().cls, test["cls_id"].get<int>());
    }
    for (size_t i = 0; i < golden["texts"].size(); ++i) {
      const Encoding encoding = Encode(**tokenizer, golden["texts"][i]);
      const auto expected =
          test["encodings"][i].get<std::vector<std::vector<int64_t>>>();
      EXPECT_EQ(Rows(encoding), expected) << golden["texts"][i];
    }
  }
}

std::string NameOf(const testing::TestParamInfo<Parameter>& info) {
  return std::string(ProfileName(info.param.profile));
}

INSTANTIATE_TEST_SUITE_P(
    Versions, SettingsGoldenTest,
    testing::Values(Parameter{"hf4.json", "4.57.1", Profile::kHf4, true},
                    Parameter{"hf5.json", "5.24.0", Profile::kHf5, false}),
    NameOf);

}  // namespace
}  // namespace deberta::tokenizer
