#include "tokenizer/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::TempDir;

// Of a JSON file: what stands at `pointer` becomes `value`.
struct Change {
  const char* pointer;
  const char* value;
};

// A directory that is removed at the end of the test.
class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest()
      : directory_(
            TempDir() + "/loader_test_" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~LoaderTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, std::string_view bytes) {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << bytes;
  }

  std::unique_ptr<const Tokenizer> Load() {
    auto tokenizer = LoadTokenizer(directory_);
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
    return tokenizer.ok() ? *std::move(tokenizer) : nullptr;
  }

  std::string Error() {
    const auto tokenizer = LoadTokenizer(directory_);
    EXPECT_EQ(tokenizer.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(tokenizer.status().message());
  }

  // That there is no tokenizer of a changed tokenizer.json.
  void ExpectRefused(nlohmann::json tokenizer_json, const Change& change) {
    tokenizer_json[nlohmann::json::json_pointer(change.pointer)] =
        nlohmann::json::parse(change.value);
    Write("tokenizer.json", tokenizer_json.dump());
    EXPECT_FALSE(Error().empty()) << change.pointer << " " << change.value;
  }

  std::vector<std::string> Tokens(std::string_view text) {
    std::vector<std::string> tokens;
    const auto tokenizer = Load();
    const TokenSequence sequence = *tokenizer->Tokenize(text);
    for (const int32_t id : sequence.ids) {
      tokens.emplace_back(tokenizer->IdToToken(id));
    }
    return tokens;
  }

  const std::string directory_;
};

constexpr std::string_view kVocab =
    "{\"[PAD]\":0,\"[CLS]\":1,\"[SEP]\":2,\"[UNK]\":3,\"a\":4,\"b\":5,"
    "\"\u0120\":6,\"ab\":7,\"\u0120a\":8,\"[MASK]\":9}";
constexpr std::string_view kMerges =
    "#version: 0.2\na b\n\n\u0120 a\na b";  // no newline at the end

constexpr std::string_view kTemplate = R"({
  "type": "TemplateProcessing",
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
    "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}})";

nlohmann::json BpeJson() {
  nlohmann::json json = nlohmann::json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [
      {"id": 1, "content": "[CLS]", "single_word": false, "lstrip": false,
       "rstrip": false, "normalized": false, "special": true},
      {"id": 9, "content": "[MASK]", "single_word": false, "lstrip": true,
       "rstrip": false, "normalized": true, "special": true}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false,
                      "trim_offsets": true, "use_regex": true},
    "decoder": {"type": "ByteLevel", "add_prefix_space": true,
                "trim_offsets": true, "use_regex": true},
    "model": {"type": "BPE", "dropout": null, "unk_token": null,
              "continuing_subword_prefix": "", "end_of_word_suffix": "",
              "fuse_unk": false, "byte_fallback": false,
              "ignore_merges": false, "merges": ["a b", ["\u0120", "a"]]}})");
  json["model"]["vocab"] = nlohmann::json::parse(kVocab);
  json["post_processor"] = nlohmann::json::parse(kTemplate);
  return json;
}

nlohmann::json UnigramJson() {
  nlohmann::json json = nlohmann::json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [
      {"id": 3, "content": "[UNK]", "single_word": false, "lstrip": false,
       "rstrip": false, "normalized": true, "special": true},
      {"id": 7, "content": "[MASK]", "single_word": false, "lstrip": false,
       "rstrip": false, "normalized": false, "special": true}],
    "normalizer": {"type": "Sequence", "normalizers": [
      {"type": "Lowercase"},
      {"type": "Strip", "strip_left": true, "strip_right": true},
      {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
      {"type": "Punctuation", "behavior": "Isolated"},
      {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always",
       "split": true}]},
    "decoder": {"type": "Metaspace", "replacement": "\u2581",
                "prepend_scheme": "always", "split": true},
    "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": false,
              "vocab": [["[PAD]", 0.0], ["[CLS]", 0.0], ["[SEP]", 0.0],
                        ["[UNK]", 0.0], ["\u2581a", -1.5], ["b", -2.0],
                        ["\u2581", -3.0]]}})");
  json["post_processor"] = nlohmann::json::parse(kTemplate);
  return json;
}

TEST_F(LoaderTest, SaysWhatItLookedFor) {
  const auto tokenizer = LoadTokenizer(directory_);
  EXPECT_EQ(tokenizer.status().code(), absl::StatusCode::kNotFound);
  const std::string message(tokenizer.status().message());
  for (const char* name :
       {"tokenizer.json", "vocab.json", "merges.txt", "spm.model"}) {
    EXPECT_THAT(message, HasSubstr(name));
  }
}

TEST_F(LoaderTest, ReadsVocabAndMerges) {
  Write("vocab.json", kVocab);
  Write("merges.txt", kMerges);
  const auto tokenizer = Load();
  EXPECT_EQ(tokenizer->special_ids().cls, 1);
  EXPECT_EQ(tokenizer->special_ids().sep, 2);
  EXPECT_EQ(tokenizer->special_ids().pad, 0);
  EXPECT_EQ(tokenizer->special_ids().unk, 3);
  EXPECT_EQ(tokenizer->special_ids().mask, 9);
  EXPECT_EQ(tokenizer->vocab_size(), 10);
  EXPECT_EQ(tokenizer->model_max_length(), std::nullopt);
  // The mask takes the space, though no file says so.
  EXPECT_THAT(Tokens("ab [MASK] ab"),
              ElementsAre("ab", "[MASK]", "\u0120", "ab"));
}

TEST_F(LoaderTest, ReadsTheSameFromTokenizerJson) {
  Write("tokenizer.json", BpeJson().dump());
  // Not looked at.
  Write("vocab.json", "broken");
  Write("merges.txt", "broken");
  EXPECT_THAT(Tokens("ab [MASK] ab"),
              ElementsAre("ab", "[MASK]", "\u0120", "ab"));
  EXPECT_EQ(Load()->special_ids().mask, 9);
}

TEST_F(LoaderTest, ReadsUnigramFromTokenizerJson) {
  Write("tokenizer.json", UnigramJson().dump());
  EXPECT_THAT(Tokens("A  ab.[MASK]"), ElementsAre("\u2581a", "\u2581a", "b",
                                                  "\u2581", "[UNK]", "[MASK]"));
  EXPECT_EQ(Load()->vocab_size(), 8);
}

TEST_F(LoaderTest, TakesAddPrefixSpaceFromTheConfigOnly) {
  nlohmann::json json = BpeJson();
  json["pre_tokenizer"]["add_prefix_space"] = true;
  Write("tokenizer.json", json.dump());
  EXPECT_THAT(Tokens("a"), ElementsAre("a"));
  Write("tokenizer_config.json", R"({"add_prefix_space": true})");
  EXPECT_THAT(Tokens("a"), ElementsAre("\u0120a"));
}

TEST_F(LoaderTest, ReadsTheConfig) {
  Write("vocab.json", kVocab);
  Write("merges.txt", kMerges);
  Write("tokenizer_config.json",
        R"({"model_max_length": 128, "clean_up_tokenization_spaces": true,
            "do_lower_case": false, "vocab_type": "gpt2"})");
  EXPECT_EQ(Load()->model_max_length(), 128);
  Write("tokenizer_config.json",
        R"({"model_max_length": 1000000000000000019884624838656})");
  EXPECT_EQ(Load()->model_max_length(), std::nullopt);
  // transformers loads these, and fails only where it truncates.
  for (const char* none :
       {R"({"model_max_length": -1})", R"({"model_max_length": 0})",
        R"({"model_max_length": null})"}) {
    Write("tokenizer_config.json", none);
    EXPECT_EQ(Load()->model_max_length(), std::nullopt) << none;
  }
  for (const char* bad :
       {R"({"model_max_length": "512"})", R"({"truncation_side": "middle"})",
        R"({"padding_side": "up"})", R"({"split_special_tokens": 1})",
        R"({"model_input_names": "input_ids"})", R"({"add_prefix_space": 1})",
        R"({"cls_token": 1})",
        R"({"added_tokens_decoder": {"x": {"content": "a"}}})", "[]", "{"}) {
    Write("tokenizer_config.json", bad);
    EXPECT_THAT(Error(), HasSubstr("tokenizer_config.json")) << bad;
  }
}

TEST_F(LoaderTest, AppendsAddedTokens) {
  Write("vocab.json", kVocab);
  Write("merges.txt", kMerges);
  Write("added_tokens.json", R"({"<x>": 10, "<y>": 11})");
  Write("special_tokens_map.json",
        R"({"mask_token": {"content": "[MASK]", "lstrip": false},
            "additional_special_tokens": ["<y>", "<z>"]})");
  EXPECT_THAT(Tokens("a <x> [MASK]<z>"),
              ElementsAre("a", "\u0120", "<x>", "\u0120", "[MASK]", "<z>"));
  EXPECT_EQ(Load()->TokenToId("<z>"), 12);
  EXPECT_EQ(Load()->Decode(std::vector<int32_t>{10, 11, 12}, true), "<x>");
}

TEST_F(LoaderTest, RefusesAnAddedTokenWithAnotherId) {
  Write("vocab.json", kVocab);
  Write("merges.txt", kMerges);
  Write("added_tokens.json", R"({"<x>": 12})");
  EXPECT_THAT(Error(), HasSubstr("expected id 10"));
}

TEST_F(LoaderTest, RefusesBrokenRawFiles) {
  Write("vocab.json", kVocab);
  Write("merges.txt", "#version: 0.2\na b c\n");
  EXPECT_THAT(Error(), HasSubstr("merges.txt: line 2"));
  Write("merges.txt", "#version: 0.2\nb a\n");
  EXPECT_THAT(Error(), HasSubstr("\"ba\" is not in the vocabulary"));
  Write("merges.txt", "#version: 0.2\na\n");
  EXPECT_THAT(Error(), HasSubstr("merges.txt: line 2"));
  Write("merges.txt", kMerges);
  Write("vocab.json", R"({"a": -1})");
  EXPECT_THAT(Error(), HasSubstr("vocab.json: a"));
  Write("vocab.json", R"({"a": 0})");
  EXPECT_THAT(Error(), HasSubstr("merges"));
  std::filesystem::remove(directory_ + "/vocab.json");
  std::filesystem::create_directory(directory_ + "/vocab.json");
  EXPECT_THAT(Error(), HasSubstr("regular file"));
}

TEST_F(LoaderTest, RefusesABrokenSpmModel) {
  Write("spm.model", "no protobuf");
  EXPECT_THAT(Error(), HasSubstr("spm.model"));
}

// Each change makes the file one that we do not implement, or malformed.
TEST_F(LoaderTest, RefusesWhatItDoesNotImplementOfBpe) {
  const Change kChanges[] = {
      {"/model/type", "\"WordPiece\""},
      {"/model/dropout", "0.1"},
      {"/model/vocab/a", "\"x\""},
      {"/model/vocab/a", "4194304"},
      {"/model/vocab", "[]"},
      {"/model/merges", "[\"a\"]"},
      {"/model/merges", "[[\"a\"]]"},
      {"/model/merges", "{}"},
      {"/model/new_option", "1"},
      {"/pre_tokenizer/type", "\"Whitespace\""},
      {"/decoder/type", "\"WordPiece\""},
      {"/post_processor/type", "\"RobertaProcessing\""},
      {"/post_processor", "null"},
      {"/post_processor/pair/4/SpecialToken/id", "\"[NEW]\""},
      {"/post_processor/pair/3/Sequence/id", "\"A\""},
      {"/post_processor/single/1/Sequence/id", "\"B\""},
      {"/post_processor/special_tokens/[SEP]/ids", "[999]"},
      {"/post_processor/special_tokens", "{}"},
      {"/version", "\"2.0\""},
      {"/added_tokens/0/id", "\"1\""},
      {"/added_tokens/0/id", "5"},
      {"/added_tokens/0/content", "\"\""},
      {"/added_tokens", "7"},
      {"/truncation", "{\"direction\": \"Up\"}"},
      {"/padding", "{\"direction\": 1}"},
      {"/new_part", "{}"},
  };
  for (const Change& change : kChanges) ExpectRefused(BpeJson(), change);
}

TEST_F(LoaderTest, RefusesWhatItDoesNotImplementOfUnigram) {
  const Change kChanges[] = {
      {"/model/unk_id", "null"},
      {"/model/unk_id", "7"},
      {"/model/vocab/4", "[\"a\"]"},
      {"/model/vocab", "[]"},
      {"/normalizer/type", "\"NFKC\""},
      {"/normalizer/normalizers/0",
       "{\"type\": \"Sequence\", \"normalizers\": []}"},
      {"/normalizer/normalizers/1/strip_left", "null"},
      {"/normalizer/normalizers/2/pattern", "{\"Regex\": \"a(?=b)\"}"},
      {"/normalizer/normalizers/0",
       "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"***\"}"},
      {"/pre_tokenizer/type", "\"Whitespace\""},
      {"/pre_tokenizer/pretokenizers/0/behavior", "\"removed\""},
      {"/pre_tokenizer/pretokenizers/1/replacement", "\"ab\""},
      {"/pre_tokenizer/pretokenizers/1/prepend_scheme", "\"last\""},
      {"/pre_tokenizer/pretokenizers/1/add_prefix_space", "false"},
      {"/decoder/type", "\"ByteLevel\""},
  };
  for (const Change& change : kChanges) ExpectRefused(UnigramJson(), change);
}

TEST_F(LoaderTest, NamesTheComponentThatItDoesNotImplement) {
  nlohmann::json json = UnigramJson();
  json["pre_tokenizer"]["pretokenizers"][0]["type"] = "FixedLength";
  Write("tokenizer.json", json.dump());
  EXPECT_EQ(
      Error(),
      "tokenizer.json: pre_tokenizer.pretokenizers[0].type: expected "
      "Sequence, BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, "
      "Metaspace, Punctuation, Split, UnicodeScripts, Whitespace or "
      "WhitespaceSplit (nothing else is supported here), got "
      "\"FixedLength\"");
}

// A fuzzer found messages that held a whole file's worth of a token.
TEST_F(LoaderTest, MessagesAreShortWhateverTheFilesHold) {
  const std::string token = "\u4e2d" + std::string(5000, 'x');
  nlohmann::json json = BpeJson();
  json["added_tokens"][0]["content"] = token;
  Write("tokenizer.json", json.dump());
  EXPECT_LT(Error().size(), 300U);
  json = BpeJson();
  json["model"]["merges"][0] = {"a", token};
  Write("tokenizer.json", json.dump());
  EXPECT_LT(Error().size(), 300U);
  json = BpeJson();
  json["model"]["vocab"][token] = -1;
  Write("tokenizer.json", json.dump());
  EXPECT_LT(Error().size(), 300U);
}

TEST_F(LoaderTest, SurvivesTruncatedFiles) {
  const std::string whole = BpeJson().dump();
  for (size_t size = 0; size < whole.size(); size += 97) {
    Write("tokenizer.json", whole.substr(0, size));
    EXPECT_THAT(Error(), HasSubstr("tokenizer.json")) << size;
  }
}

// A text of 4 MB of one character took 1.2 GB: it becomes eighteen characters.
TEST(WorkingBytesTest, OfTextsThatGrowIsBounded) {
  constexpr size_t kMost = size_t{150} << 20;
  const std::string directory =
      DEBERTA_SOURCE_DIR "/tests/golden/tokenizers/v3-multilingual";
  const auto tokenizer = LoadTokenizer(directory, {.max_working_bytes = kMost});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const auto repeated = [](std::string_view part, size_t size) {
    std::string text;
    while (text.size() < size) text += part;
    return text;
  };
  constexpr size_t kLong = size_t{4} << 20;
  const std::string prose =
      repeated("The quick brown fox jumps. ", kLong / 4 * 3);
  EXPECT_LT((*tokenizer)->WorkingBytes(prose), kMost);
  EXPECT_TRUE((*tokenizer)->Tokenize(prose).ok());
  EXPECT_EQ((*tokenizer)->WorkingBytes(prose.substr(0, 1000)), 0u);
  for (const char* part : {"\uFDFA", "a", "q7!"}) {
    const std::string text = repeated(part, kLong);
    EXPECT_GT((*tokenizer)->WorkingBytes(text), kMost) << part;
    EXPECT_TRUE(absl::IsInvalidArgument((*tokenizer)->Tokenize(text).status()));
  }
}

}  // namespace
}  // namespace deberta::tokenizer
