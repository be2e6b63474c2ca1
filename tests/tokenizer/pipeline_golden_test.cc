// Tokenizers of every kind of pipeline against what AutoTokenizer of
// transformers 4.57.1 and 5.24 made of some texts
// (tests/golden/generators/make_pipeline_golden.py).

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/tokenizer/golden_cases.h"
#include "tokenizer/loader.h"

namespace deberta::tokenizer {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

// Ids, starts, ends, types, special tokens mask and words.
std::vector<std::vector<int64_t>> Rows(const Encoding& encoding) {
  std::vector<std::vector<int64_t>> rows(6);
  for (size_t i = 0; i < encoding.size(); ++i) {
    rows[0].push_back(encoding.ids[i]);
    rows[1].push_back(encoding.offsets[i].start);
    rows[2].push_back(encoding.offsets[i].end);
    rows[3].push_back(encoding.type_ids[i]);
    rows[4].push_back(encoding.special_tokens_mask[i]);
    rows[5].push_back(encoding.words[i]);
  }
  return rows;
}

Encoding Encode(const Tokenizer& tokenizer, const Json& test) {
  const TokenSequence a = *tokenizer.Tokenize(test[0].get<std::string>());
  if (test[1].is_null()) return tokenizer.Assemble(a, nullptr);
  const TokenSequence b = *tokenizer.Tokenize(test[1].get<std::string>());
  return tokenizer.Assemble(a, &b);
}

void CheckDirectory(const fs::path& directory, Profile profile,
                    const char* expected) {
  SCOPED_TRACE(directory.filename().string() + " " +
               std::string(ProfileName(profile)));
  const auto tokenizer =
      LoadTokenizer(directory.string(), {.profile = profile});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const Json golden = Json::parse(ReadFile(directory / expected));
  ASSERT_GE(golden["cases"].size(), 24u);
  for (size_t i = 0; i < golden["cases"].size(); ++i) {
    const Json& test = golden["cases"][i];
    const Encoding encoding = Encode(**tokenizer, test);
    std::vector<std::vector<int64_t>> rows;
    for (size_t k = 2; k < test.size(); ++k) {
      rows.push_back(test[k].get<std::vector<int64_t>>());
    }
    EXPECT_EQ(Rows(encoding), rows) << test[0] << test[1];
    EXPECT_EQ((*tokenizer)->Decode(encoding.ids, /*skip_special_tokens=*/true),
              golden["decoded"][i].get<std::string>())
        << test[0];
  }
}

TEST(PipelineGoldenTest, EveryKindEqualsBothReferences) {
  int kinds = 0;
  for (const auto& entry :
       fs::directory_iterator(GoldenDirectory() / "pipelines")) {
    ++kinds;
    CheckDirectory(entry.path(), Profile::kHf4, "expected.json");
    CheckDirectory(entry.path(), Profile::kHf5, "expected_hf5.json");
  }
  EXPECT_EQ(kinds, 20);
}

// Taggers on WordPiece had their commas put into the word before, as those on
// pieces without marks have in the reference.
TEST(PipelineGoldenTest, SaysHowTheReferenceTellsWords) {
  const std::pair<const char*, WordStart> kKinds[] = {
      {"pipelines/bert-cased", WordStart::kUnmarked},
      {"pipelines/bert-odd", WordStart::kUnmarked},
      {"pipelines/vocab-txt-cased", WordStart::kUnmarked},
      {"pipelines/bpe-digits", WordStart::kUnmarked},
      {"pipelines/bpe-suffix", WordStart::kSpace},
      {"pipelines/bpe-bytes", WordStart::kSpace},
      {"pipelines/spm-bpe", WordStart::kSpace},
      {"japanese/japanese-pieces", WordStart::kEvery}};
  for (const auto& [name, expected] : kKinds) {
    const auto tokenizer = LoadTokenizer((GoldenDirectory() / name).string(),
                                         {.profile = Profile::kHf4});
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    EXPECT_EQ((*tokenizer)->word_start(), expected) << name;
    EXPECT_EQ((*tokenizer)->runs_in_python(), expected == WordStart::kEvery);
  }
}

// BertJapaneseTokenizer, which has ids and types alone.
TEST(PipelineGoldenTest, JapaneseWithoutAProgramThatFindsWords) {
  const std::pair<Profile, const char*> kProfiles[] = {
      {Profile::kHf4, "expected.json"}, {Profile::kHf5, "expected_hf5.json"}};
  int kinds = 0;
  for (const auto& entry :
       fs::directory_iterator(GoldenDirectory() / "japanese")) {
    for (const auto& [profile, name] : kProfiles) {
      ++kinds;
      SCOPED_TRACE(entry.path().filename().string() + " " + name);
      const auto tokenizer =
          LoadTokenizer(entry.path().string(), {.profile = profile});
      ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
      const Json golden = Json::parse(ReadFile(entry.path() / name));
      ASSERT_GE(golden["cases"].size(), 35u);
      for (size_t i = 0; i < golden["cases"].size(); ++i) {
        const Json& test = golden["cases"][i];
        const Encoding encoding = Encode(**tokenizer, test);
        EXPECT_EQ(Rows(encoding)[0], test[2].get<std::vector<int64_t>>())
            << test[0];
        EXPECT_EQ(Rows(encoding)[3], test[3].get<std::vector<int64_t>>())
            << test[0];
        EXPECT_EQ(
            (*tokenizer)->Decode(encoding.ids, /*skip_special_tokens=*/true),
            golden["decoded"][i].get<std::string>())
            << test[0];
      }
    }
  }
  EXPECT_EQ(kinds, 8);
}

// Offsets, which the reference lacks, are of the characters that were sent: a
// character of width one half and its voicing mark are one token, and the two
// of an era's name are both of its sign.
TEST(PipelineGoldenTest, JapaneseCharactersHaveTheOffsetsOfTheText) {
  const auto tokenizer = LoadTokenizer(
      (GoldenDirectory() / "japanese/japanese-characters").string(),
      {.profile = Profile::kHf4});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const TokenSequence tokens =
      *(*tokenizer)->Tokenize("\uff83\uff9e\u3000\u337b\u5143[MASK]");
  const std::vector<Span> expected = {{0, 1}, {3, 4}, {3, 4}, {4, 5}, {5, 11}};
  ASSERT_EQ(tokens.offsets.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(tokens.offsets[i].start, expected[i].start) << i;
    EXPECT_EQ(tokens.offsets[i].end, expected[i].end) << i;
  }
}

// The slow tokenizer over the SentencePiece library, which has ids alone.
TEST(PipelineGoldenTest, SentencePieceModelsEqualTheLibrary) {
  int kinds = 0;
  for (const auto& entry :
       fs::directory_iterator(GoldenDirectory() / "pipelines")) {
    if (!fs::exists(entry.path() / "expected_spm.json")) continue;
    ++kinds;
    SCOPED_TRACE(entry.path().filename().string());
    const auto tokenizer =
        LoadTokenizer(entry.path().string(), {.profile = Profile::kSpm});
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    const Json texts =
        Json::parse(ReadFile(entry.path() / "expected.json"))["cases"];
    const Json golden =
        Json::parse(ReadFile(entry.path() / "expected_spm.json"));
    ASSERT_GE(golden["ids"].size(), 20u);
    for (size_t i = 0; i < golden["ids"].size(); ++i) {
      const Encoding encoding = Encode(**tokenizer, texts[i]);
      EXPECT_EQ(Rows(encoding)[0], golden["ids"][i].get<std::vector<int64_t>>())
          << texts[i][0];
      EXPECT_EQ(
          (*tokenizer)->Decode(encoding.ids, /*skip_special_tokens=*/true),
          golden["decoded"][i].get<std::string>())
          << texts[i][0];
    }
  }
  EXPECT_EQ(kinds, 3);
}

}  // namespace
}  // namespace deberta::tokenizer
