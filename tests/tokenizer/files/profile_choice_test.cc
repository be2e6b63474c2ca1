#include "tokenizer/files/profile_choice.h"

#include <gtest/gtest.h>

#include <string>

namespace deberta::tokenizer {
namespace {

constexpr char kNfc[] =
    R"({"model": {"type": "Unigram"}, "normalizer": {"type": "Sequence",
        "normalizers": [{"type": "Strip"}, {"type": "NFC"}]}})";
constexpr char kCharsmap[] =
    R"({"model": {"type": "Unigram"}, "normalizer": {"type": "Sequence",
        "normalizers": [{"type": "Strip"}, {"type": "Precompiled"}]}})";

std::string BpeWithPair(const std::string& between) {
  return R"({"model": {"type": "BPE"}, "normalizer": null, "post_processor":
      {"type": "TemplateProcessing", "pair": [{"SpecialToken": {"id": "[CLS]"}},
       {"Sequence": {"id": "A"}}, )" +
         between + R"(, {"Sequence": {"id": "B"}},
       {"SpecialToken": {"id": "[SEP]"}}]}})";
}
constexpr char kSep[] = R"({"SpecialToken": {"id": "[SEP]"}})";

// Empty texts stand for files that are not there.
ProfileChoice Choose(const std::string& tokenizer_config,
                     const std::string& config,
                     const std::string& tokenizer_json) {
  const auto parse = [](const char* name, const std::string& text) {
    return *JsonDocument::Parse(name, text.empty() ? "{}" : text);
  };
  const JsonDocument side = parse("tokenizer_config.json", tokenizer_config);
  const JsonDocument model = parse("config.json", config);
  const JsonDocument json = parse("tokenizer.json", tokenizer_json);
  ProfileChoice choice =
      ChooseProfile(side, model, tokenizer_json.empty() ? nullptr : &json);
  for (const JsonDocument* file : {&side, &model, &json}) {
    EXPECT_TRUE(file->error().ok()) << file->error();
  }
  EXPECT_FALSE(choice.reason.empty());
  return choice;
}

TEST(ProfileChoiceTest, TakesVersion5WhereAnyFileSaysSo) {
  struct Case {
    const char* why;
    std::string tokenizer_config;
    std::string config;
    std::string tokenizer_json;
    Profile expected;
  };
  const std::string two = BpeWithPair(std::string(kSep) + ", " + kSep);
  const Case cases[] = {
      {"nothing but raw files", "", "", "", Profile::kHf4},
      {"saved by 4.57", R"({"added_tokens_decoder": {}})",
       R"({"transformers_version": "4.57.1"})", kCharsmap, Profile::kHf4},
      {"before versions were written", "", R"({"model_type": "deberta"})",
       BpeWithPair(kSep), Profile::kHf4},
      {"the tokenizer saved by 5", R"({"backend": "tokenizers"})", "",
       kCharsmap, Profile::kHf5},
      {"the tokenizer saved by 5, the model by 4.57",
       R"({"backend": "tokenizers"})", R"({"transformers_version": "4.57.1"})",
       "", Profile::kHf5},
      {"the model saved by 5, raw tokenizer files", "",
       R"({"transformers_version": "5.24.0"})", "", Profile::kHf5},
      {"a pre-release", "", R"({"transformers_version": "5.0.0rc1"})", "",
       Profile::kHf5},
      {"a later version", "", R"({"transformers_version": "10.1"})", "",
       Profile::kHf5},
      {"no version at all", "", R"({"transformers_version": "main"})", "",
       Profile::kHf4},
      {"null", R"({"backend": null})", R"({"transformers_version": null})", "",
       Profile::kHf4},
      {"tokenizer.json alone, v3", "", "", kNfc, Profile::kHf5},
      {"tokenizer.json alone, v1", "", "", two, Profile::kHf5},
      {"tokenizer.json alone, v1 of 4.57", "", "", BpeWithPair(kSep),
       Profile::kHf4},
  };
  for (const Case& test : cases) {
    const ProfileChoice choice =
        Choose(test.tokenizer_config, test.config, test.tokenizer_json);
    EXPECT_EQ(ProfileName(choice.profile), ProfileName(test.expected))
        << test.why << ": " << choice.reason;
  }
}

TEST(ProfileChoiceTest, NotesWhatIsMalformed) {
  const JsonDocument side = JsonDocument::Empty("tokenizer_config.json");
  const JsonDocument model =
      *JsonDocument::Parse("config.json", R"({"transformers_version": 5})");
  ChooseProfile(side, model, nullptr);
  EXPECT_FALSE(model.error().ok());
}

}  // namespace
}  // namespace deberta::tokenizer
