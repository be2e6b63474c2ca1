// What a pipeline of tokenizer.json may not be: each case is refused by one
// message that names the place.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tokenizer/loader.h"

namespace deberta::tokenizer {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

Json WordPieceJson() {
  return Json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
    "normalizer": {"type": "BertNormalizer"},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                 {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
      "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
               {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
               {"Sequence": {"id": "B", "type_id": 1}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
      "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
        "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
    "model": {"type": "WordPiece", "unk_token": "[UNK]",
              "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100,
              "vocab": {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3,
                        "[MASK]": 4, "a": 5, "##b": 6}}})");
}

std::string Refusal(const char* pointer, const Json& value) {
  Json json = WordPieceJson();
  json[Json::json_pointer(pointer)] = value;
  TokenizerFiles files;
  files.model = json.dump();
  const auto tokenizer = BuildTokenizer(files, {.profile = Profile::kHf4});
  EXPECT_EQ(tokenizer.status().code(), absl::StatusCode::kInvalidArgument)
      << pointer << " " << value;
  return std::string(tokenizer.status().message());
}

Json Repeated(const char* key, const Json& step, size_t times) {
  return {{"type", "Sequence"}, {key, Json(times, step)}};
}

TEST(PipelineRefusalTest, NamesWhatIsNotServed) {
  const struct {
    const char* pointer;
    const char* value;
    const char* what;
  } kCases[] = {
      {"/model/type", R"("WordLevel")", "BPE, Unigram or WordPiece"},
      {"/model/unk_token", R"("none")", "unk_token"},
      {"/model/vocab", "{}", "at least one token"},
      {"/model/vocab/a", "3", "only once"},
      {"/model/max_input_chars_per_word", "-1", "max_input_chars_per_word"},
      {"/model/new_option", "1", "new_option"},
      {"/normalizer", R"({"type": "ByteLevel"})", "normalizer.type"},
      {"/normalizer", R"({"type": "Prepend", "prepend": ""})", "Prepend"},
      {"/normalizer",
       R"({"type": "Replace", "pattern": {"Regex": "(?<=a)b"},
           "content": ""})",
       "look-behind"},
      {"/pre_tokenizer", R"({"type": "FixedLength", "length": 5})",
       "FixedLength"},
      {"/pre_tokenizer",
       R"x({"type": "Split", "pattern": {"Regex": "\\s+(?!\\S)"},
           "behavior": "Isolated", "invert": false})x",
       "pre_tokenizer Split: regular expression"},
      {"/pre_tokenizer",
       R"({"type": "Split", "pattern": {"String": ""},
           "behavior": "Isolated", "invert": false})",
       "pattern.String"},
      {"/pre_tokenizer", R"({"type": "Punctuation", "behavior": "Up"})",
       "behavior"},
      {"/pre_tokenizer", R"({"type": "CharDelimiterSplit", "delimiter": "ab"})",
       "one character"},
      {"/decoder", R"({"type": "CTC"})", "decoder.type"},
      {"/decoder",
       R"({"type": "Replace", "pattern": {"Regex": "a"}, "content": ""})",
       "decoder.pattern"},
      {"/decoder",
       R"({"type": "Strip", "content": "ab", "start": 1, "stop": 0})",
       "one character"},
  };
  for (const auto& [pointer, value, what] : kCases) {
    EXPECT_THAT(Refusal(pointer, Json::parse(value)), HasSubstr(what));
  }
}

// Steps multiply: a few kilobytes of them would make gigabytes of a letter.
TEST(PipelineRefusalTest, BoundsWhatAFileMakesOfAText) {
  const Json longer = {{"type", "Replace"},
                       {"pattern", {{"String", "a"}}},
                       {"content", std::string(60, 'a')}};
  EXPECT_THAT(Refusal("/normalizer", Repeated("normalizers", longer, 2)),
              HasSubstr("times as long"));
  EXPECT_THAT(Refusal("/decoder", Repeated("decoders", longer, 2)),
              HasSubstr("times as long"));
  const Json prepend = {{"type", "Prepend"}, {"prepend", "______________"}};
  EXPECT_THAT(Refusal("/normalizer", Repeated("normalizers", prepend, 2)),
              HasSubstr("times as long"));
  const Json bytes = {{"type", "ByteLevel"}};
  EXPECT_THAT(Refusal("/pre_tokenizer", Repeated("pretokenizers", bytes, 3)),
              HasSubstr("at most 2 of Metaspace and ByteLevel"));
  EXPECT_THAT(Refusal("/normalizer",
                      Repeated("normalizers", {{"type", "Lowercase"}}, 33)),
              HasSubstr("at most 32 steps"));
  EXPECT_THAT(Refusal("/pre_tokenizer",
                      Repeated("pretokenizers", {{"type", "Whitespace"}}, 33)),
              HasSubstr("at most 32 steps"));
  EXPECT_THAT(Refusal("/decoder", Repeated("decoders", {{"type", "Fuse"}}, 33)),
              HasSubstr("at most 32 steps"));
}

TEST(PipelineRefusalTest, ReadsVocabTxtOnlyForBertTokenizer) {
  TokenizerFiles files;
  files.source = TokenizerSource::kVocabTxt;
  files.model = "[PAD]\n[CLS]\n[SEP]\n[UNK]\n[MASK]\na\n";
  EXPECT_THAT(std::string(BuildTokenizer(files, {}).status().message()),
              HasSubstr("BertTokenizer"));
  files.tokenizer_config = R"({"tokenizer_class": "BertGenerationTokenizer"})";
  EXPECT_THAT(std::string(BuildTokenizer(files, {}).status().message()),
              HasSubstr("which read vocab.txt"));
  files.tokenizer_config = R"({"tokenizer_class": "BertTokenizer"})";
  EXPECT_TRUE(BuildTokenizer(files, {}).ok());
  files.model = "a\n";
  EXPECT_THAT(std::string(BuildTokenizer(files, {}).status().message()),
              HasSubstr("vocab.txt: unk_token"));
}

}  // namespace
}  // namespace deberta::tokenizer
