// Every line of the text collection through every golden tokenizer, and every
// code point through the normalizer, against what the reference made of them
// (tests/golden/make_tokenizer_golden.py).
//
// expected.bin has two 64-bit FNV-1a hashes a case, little-endian:
// 1. of the encoding: for each token int32 id, uint32 start, uint32 end (code
//    points), uint8 type id, uint8 special token mask, int32 word (-1: none);
// 2. of the decoded text, without special tokens in even cases.
// The cases are, in order: the lines of english.txt, translations.txt and
// hostile.txt, alone; then pairs of them.
//
// code_points.bin has one such hash for each 1,024 code points: of each one
// normalised alone, then between U+00BD and "b", each followed by a newline.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"
#include "tests/tokenizer/golden_cases.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/loader.h"
#include "tokenizer/normalization/normalizer.h"
#include "tokenizer/segmentation/spm_model.h"
#include "tokenizer/text/unicode.h"
#include "tokenizer/tokenizer.h"

namespace deberta::tokenizer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kGolden = GoldenDirectory();

struct Parameter {
  std::string name;
  bool raw_files;  // without tokenizer.json
};

void PrintTo(const Parameter& parameter, std::ostream* out) {
  *out << parameter.name << (parameter.raw_files ? ", raw files" : "");
}

std::string ParameterName(const testing::TestParamInfo<Parameter>& info) {
  std::string name = info.param.name;
  std::erase(name, '-');
  return name + (info.param.raw_files ? "RawFiles" : "TokenizerJson");
}

class TokenizerGoldenTest : public testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    directory_ = kGolden / "tokenizers" / GetParam().name;
    std::string loaded = directory_.string();
    if (GetParam().raw_files) {
      copy_ = fs::path(testing::TempDir()) /
              ("golden_" + GetParam().name + "_" + std::to_string(getpid()));
      fs::create_directories(copy_);
      for (const auto& file : fs::directory_iterator(directory_)) {
        if (file.path().filename() == "tokenizer.json") continue;
        fs::copy_file(file.path(), copy_ / file.path().filename());
      }
      loaded = copy_.string();
    }
    auto tokenizer = LoadTokenizer(loaded);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = *std::move(tokenizer);
  }

  void TearDown() override {
    if (!copy_.empty()) fs::remove_all(copy_);
  }

  Encoding Encode(const std::string& text,
                  const std::optional<std::string>& pair) {
    const auto a = tokenizer_->Tokenize(text);
    EXPECT_TRUE(a.ok()) << a.status();
    if (!a.ok()) return {};
    if (!pair) return tokenizer_->Assemble(*a, nullptr);
    const auto b = tokenizer_->Tokenize(*pair);
    EXPECT_TRUE(b.ok()) << b.status();
    return b.ok() ? tokenizer_->Assemble(*a, &*b) : Encoding();
  }

  fs::path directory_;
  fs::path copy_;
  std::unique_ptr<const Tokenizer> tokenizer_;
};

TEST_P(TokenizerGoldenTest, EveryLineEqualsTheReference) {
  const std::string expected = ReadFile(directory_ / "expected.bin");
  const std::vector<Case> cases = MakeCases();
  ASSERT_EQ(expected.size(), cases.size() * 2 * sizeof(uint64_t));
  int failures = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const Encoding encoding = Encode(cases[i].text, cases[i].pair);
    const bool skip_special = i % 2 == 0;
    const std::string decoded = tokenizer_->Decode(encoding.ids, skip_special);
    const bool same = Fnv1a(Serialize(encoding)) == HashAt(expected, 2 * i);
    const bool same_text = Fnv1a(decoded) == HashAt(expected, 2 * i + 1);
    if (same && same_text) continue;
    constexpr int kShown = 5;
    if (++failures > kShown) continue;
    ADD_FAILURE() << "case " << i << (same ? "" : ": encoding")
                  << (same_text ? "" : ": decoded text")
                  << " differs; ours:" << Describe(encoding, *tokenizer_)
                  << "\n  decoded '" << decoded
                  << "'\n  reference: make_tokenizer_golden.py show "
                  << GetParam().name << " " << i;
  }
  EXPECT_EQ(failures, 0) << "of " << cases.size() << " cases";
}

TEST_P(TokenizerGoldenTest, ExamplesEqualTheReferenceInFull) {
  const json examples = json::parse(ReadFile(directory_ / "expected.json"));
  ASSERT_GT(examples.size(), 20U);
  for (const json& example : examples) {
    SCOPED_TRACE(example["case"].dump());
    std::optional<std::string> pair;
    if (!example["pair"].is_null()) pair = example["pair"].get<std::string>();
    const Encoding encoding = Encode(example["text"].get<std::string>(), pair);
    EXPECT_EQ(json(encoding.ids), example["ids"]);
    EXPECT_EQ(json(encoding.type_ids), example["type_ids"]);
    EXPECT_EQ(json(encoding.words), example["words"]);
    json offsets = json::array();
    for (const Span& span : encoding.offsets) {
      offsets.push_back({span.start, span.end});
    }
    EXPECT_EQ(offsets, example["offsets"]);
    json special = json::array();
    for (const uint8_t mask : encoding.special_tokens_mask) {
      special.push_back(int{mask});
    }
    EXPECT_EQ(special, example["special_tokens_mask"]);
    const bool skip_special = example["case"].get<int>() % 2 == 0;
    EXPECT_EQ(tokenizer_->Decode(encoding.ids, skip_special),
              example["decoded"].get<std::string>());
  }
}

std::vector<Parameter> Parameters() {
  std::vector<Parameter> out;
  for (const char* name : {"v1", "v1-quirks", "v2-punct", "v3-lower",
                           "v3-multilingual", "mdeberta-folded"}) {
    out.push_back({name, false});
    out.push_back({name, true});
  }
  return out;
}

// The reference reads scores from tokenizer.json with an error in the last bit,
// which decides between equally good paths; from spm.model it has them exact.
TEST(UnigramGoldenTest, EquallyGoodPathsFallAsTheReferenceHasThem) {
  const auto tokenizer =
      LoadTokenizer((kGolden / "tokenizers/v3-lower").string());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  std::vector<std::string> tokens;
  const auto sequence = (*tokenizer)->Tokenize(std::string(17, '0'));
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  for (const int32_t id : sequence->ids) {
    tokens.emplace_back((*tokenizer)->IdToToken(id));
  }
  EXPECT_THAT(tokens, testing::ElementsAre("\u2581", "000", "000", "00", "000",
                                           "000", "000"));
}

TEST(NormalizerGoldenTest, EveryCodePointEqualsTheReference) {
  const auto model =
      ParseSpmModel(ReadFile(kGolden / "tokenizers/v3-multilingual/spm.model"));
  ASSERT_TRUE(model.ok()) << model.status();
  const auto normalizer =
      Normalizer::Create({Normalizer::Lowercase{}, Normalizer::Strip{},
                          Normalizer::Precompiled{model->precompiled_charsmap},
                          Normalizer::Replace{" {2,}", true, " "}});
  ASSERT_TRUE(normalizer.ok()) << normalizer.status();
  const std::string expected = ReadFile(kGolden / "code_points.bin");
  constexpr char32_t kBlock = 0x400;
  constexpr char32_t kEnd = 0x110000;
  ASSERT_EQ(expected.size(), kEnd / kBlock * sizeof(uint64_t));
  for (char32_t block = 0; block < kEnd; block += kBlock) {
    std::string all;
    for (char32_t c = block; c < block + kBlock; ++c) {
      if (c >= 0xD800 && c < 0xE000) continue;
      std::string alone;
      AppendUtf8(c, &alone);
      all += normalizer->Normalize(alone, 0).text + '\n';
      all += normalizer->Normalize("\u00BD" + alone + "b", 0).text + '\n';
    }
    EXPECT_EQ(Fnv1a(all), HashAt(expected, block / kBlock))
        << "code points from U+" << std::hex << static_cast<uint32_t>(block);
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, TokenizerGoldenTest,
                         testing::ValuesIn(Parameters()), ParameterName);

}  // namespace
}  // namespace deberta::tokenizer
