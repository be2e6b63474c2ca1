#include "tokenizer/files/tokenizer_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace deberta::tokenizer {
namespace {

using testing::HasSubstr;

constexpr TokenizerSource kJson = TokenizerSource::kTokenizerJson;
constexpr TokenizerSource kRaw = TokenizerSource::kVocabAndMerges;

absl::StatusOr<TokenizerConfig> Read(const std::string& text,
                                     TokenizerSource source, Profile profile) {
  const auto document = JsonDocument::Parse("tokenizer_config.json", text);
  if (!document.ok()) return document.status();
  return ReadTokenizerConfig(*document, JsonDocument::Empty("config.json"),
                             source, profile);
}

absl::StatusOr<TokenizerConfig> ReadClass(const std::string& name,
                                          TokenizerSource source,
                                          Profile profile) {
  return Read(R"({"tokenizer_class": ")" + name + "\"}", source, profile);
}

// A RobertaTokenizer makes other inputs of the same vocab.json and merges.txt,
// and passes no types whatever the files.
TEST(TokenizerConfigTest, RefusesClassesThatBuildAnotherTokenizer) {
  for (const Profile profile : {Profile::kHf4, Profile::kHf5}) {
    for (const char* ours : {"DebertaTokenizer", "DebertaTokenizerFast",
                             "DebertaV2Tokenizer", "DebertaV2TokenizerFast"}) {
      EXPECT_TRUE(ReadClass(ours, kRaw, profile).ok()) << ours;
      const auto settings = ReadClass(ours, kJson, profile);
      ASSERT_TRUE(settings.ok()) << settings.status();
      EXPECT_FALSE(settings->generic_class) << ours;
    }
    for (const char* other : {"RobertaTokenizer", "GPT2TokenizerFast",
                              "XLMRobertaTokenizerFast", "NotATokenizer"}) {
      for (const TokenizerSource source : {kRaw, kJson}) {
        const auto refused = ReadClass(other, source, profile);
        EXPECT_THAT(
            std::string(refused.status().message()),
            testing::AllOf(HasSubstr("tokenizer_class: expected Deberta"),
                           HasSubstr(other)));
      }
    }
    EXPECT_TRUE(ReadClass("PreTrainedTokenizerFast", kJson, profile).ok());
    // config.json names the class where the other file does not.
    const auto config = *JsonDocument::Parse(
        "config.json", R"({"tokenizer_class": "XLMRobertaTokenizer"})");
    const JsonDocument none = JsonDocument::Empty("tokenizer_config.json");
    EXPECT_THAT(std::string(ReadTokenizerConfig(none, config, kJson, profile)
                                .status()
                                .message()),
                HasSubstr("config.json: tokenizer_class"));
  }
  const auto generic = ReadClass("TokenizersBackend", kJson, Profile::kHf5);
  ASSERT_TRUE(generic.ok()) << generic.status();
  EXPECT_TRUE(generic->generic_class);
  // Its types are not passed unless the file says so.
  EXPECT_FALSE(generic->token_type_ids);
}

TEST(TokenizerConfigTest, RefusesCodeOfTheDirectory) {
  for (const char* code :
       {R"({"auto_map": {"AutoTokenizer": ["my.Tokenizer", null]}})",
        R"({"auto_map": ["my.Tokenizer", null]})",
        R"({"auto_map": {"AutoTokenizer": "my.Tokenizer"}})"}) {
    EXPECT_THAT(
        std::string(Read(code, kJson, Profile::kHf4).status().message()),
        HasSubstr("my.Tokenizer"))
        << code;
  }
  for (const char* none : {R"({"auto_map": {"AutoTokenizer": [null, null]}})",
                           R"({"auto_map": {"AutoModel": "my.Model"}})"}) {
    EXPECT_TRUE(Read(none, kJson, Profile::kHf4).ok()) << none;
  }
}

// cl-tohoku's models are saved so; their words are MeCab's.
TEST(TokenizerConfigTest, SaysWhatToDoWithoutAProgramThatCutsJapanese) {
  constexpr TokenizerSource kTxt = TokenizerSource::kVocabTxt;
  const std::string name = R"({"tokenizer_class": "BertJapaneseTokenizer", )";
  for (const char* words : {"mecab", "sudachi", "jumanpp"}) {
    const std::string settings =
        name + "\"word_tokenizer_type\": \"" + words + "\"";
    EXPECT_THAT(
        std::string(
            Read(settings + "}", kTxt, Profile::kHf4).status().message()),
        testing::AllOf(HasSubstr("word_tokenizer_type: expected \"basic\""),
                       HasSubstr("\"do_word_tokenize\": false"),
                       HasSubstr(words)));
    const auto cut =
        Read(settings + R"(, "do_word_tokenize": false})", kTxt, Profile::kHf5);
    ASSERT_TRUE(cut.ok()) << cut.status();
    EXPECT_FALSE(cut->japanese->cuts_words);
  }
  for (const char* refused :
       {R"("subword_tokenizer_type": "sentencepiece"})",
        R"("do_subword_tokenize": false})", R"("do_lower_case": true})",
        R"("never_split": ["x"]})"}) {
    EXPECT_FALSE(Read(name + refused, kTxt, Profile::kHf4).ok()) << refused;
  }
  // Which reads vocab.txt alone.
  EXPECT_FALSE(ReadClass("BertJapaneseTokenizer", kJson, Profile::kHf4).ok());
}

TEST(TokenizerConfigTest, SlowTokenizersDoNotSplitSpecialTokens) {
  const char* split = R"({"split_special_tokens": true})";
  EXPECT_TRUE(Read(split, kJson, Profile::kHf5)->split_special_tokens);
  EXPECT_FALSE(Read(split, TokenizerSource::kSpm, Profile::kSpm).ok());
}

}  // namespace
}  // namespace deberta::tokenizer
