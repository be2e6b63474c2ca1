// Random pipelines of tokenizer.json against what the tokenizers of
// transformers 4.57.1 and 5.24 made of some texts
// (tests/golden/generators/make_random_pipeline_golden.py).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/tokenizer/golden_cases.h"
#include "tokenizer/loader.h"

namespace deberta::tokenizer {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::AnyOf;
using ::testing::HasSubstr;

// SentencePiece's, which a case names instead.
std::string Charsmap() {
  const Json saved = Json::parse(ReadFile(
      GoldenDirectory() / "tokenizers/v3-multilingual/tokenizer.json"));
  for (const Json& step : saved["normalizer"]["normalizers"]) {
    if (step["type"] == "Precompiled") return step["precompiled_charsmap"];
  }
  ADD_FAILURE() << "no charsmap";
  return "";
}

void PutCharsmap(const std::string& charsmap, Json* node) {
  if (node->contains("precompiled_charsmap"))
    (*node)["precompiled_charsmap"] = charsmap;
  for (Json& part : *node) {
    if (part.is_structured()) PutCharsmap(charsmap, &part);
  }
}

TokenizerFiles FilesOf(const Json& golden, const Json& test,
                       const std::string& charsmap) {
  Json file = test["tokenizer"];
  PutCharsmap(charsmap, &file);
  file["model"] = golden["models"][test["model"].get<std::string>()];
  file["model"].update(test["settings"]);
  TokenizerFiles files;
  files.source = TokenizerSource::kTokenizerJson;
  files.model = file.dump();
  files.tokenizer_config = R"({
      "tokenizer_class": "PreTrainedTokenizerFast",
      "model_input_names": ["input_ids", "token_type_ids"], "pad_token": "[PAD]",
      "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
      "mask_token": "[MASK]"})";
  return files;
}

uint64_t Number(const Json& hash) {
  return std::stoull(hash.get<std::string>(), nullptr, 16);
}

Encoding Encode(const Tokenizer& tokenizer, const Json& texts,
                const Json& chosen) {
  const auto text = [&](const Json& index) {
    return *tokenizer.Tokenize(texts[index.get<size_t>()].get<std::string>());
  };
  const TokenSequence a = text(chosen[0]);
  if (chosen[1].get<int>() < 0) return tokenizer.Assemble(a, nullptr);
  const TokenSequence b = text(chosen[1]);
  return tokenizer.Assemble(a, &b);
}

void CheckTexts(const Tokenizer& tokenizer, const Json& texts, const Json& test,
                std::string_view profile) {
  const Json& hashes = test[std::string(profile)];
  ASSERT_EQ(hashes.size(), test["texts"].size());
  for (size_t i = 0; i < hashes.size(); ++i) {
    const Json& chosen = test["texts"][i];
    const Encoding encoding = Encode(tokenizer, texts, chosen);
    EXPECT_EQ(Fnv1a(Serialize(encoding)), Number(hashes[i][0]))
        << texts[chosen[0].get<size_t>()] << " "
        << Describe(encoding, tokenizer);
    const std::string text =
        tokenizer.Decode(encoding.ids, /*skip_special_tokens=*/true);
    EXPECT_EQ(Fnv1a(text), Number(hashes[i][1])) << text;
  }
}

// Those that make no tokenizer are ones of which the loader says so.
TEST(RandomPipelinesGoldenTest, EqualBothReferences) {
  const Json golden =
      Json::parse(ReadFile(GoldenDirectory() / "random_pipelines.json"));
  const std::string charsmap = Charsmap();
  int served = 0;
  for (size_t i = 0; i < golden["cases"].size(); ++i) {
    const Json& test = golden["cases"][i];
    const TokenizerFiles files = FilesOf(golden, test, charsmap);
    for (const Profile profile : {Profile::kHf4, Profile::kHf5}) {
      SCOPED_TRACE("case " + std::to_string(i) + ", " +
                   std::string(ProfileName(profile)));
      const auto tokenizer = BuildTokenizer(files, {.profile = profile});
      if (!tokenizer.ok()) {
        EXPECT_THAT(std::string(tokenizer.status().message()),
                    AnyOf(HasSubstr("nothing is left of it"),
                          HasSubstr("at most 2 of Metaspace and ByteLevel"),
                          HasSubstr("times as long")));
        continue;
      }
      CheckTexts(**tokenizer, golden["texts"], test, ProfileName(profile));
      ++served;
    }
  }
  EXPECT_GE(served, 570);
}

}  // namespace
}  // namespace deberta::tokenizer
