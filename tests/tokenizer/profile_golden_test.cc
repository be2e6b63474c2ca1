// The profiles hf5 and spm against what their references made of every fourth
// case of the golden texts (tests/golden/generators/make_profile_golden.py).

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/tokenizer/golden_cases.h"
#include "tokenizer/loader.h"

namespace deberta::tokenizer {
namespace {

constexpr size_t kEvery = 4;

struct Parameter {
  const char* name;
  Profile profile;
};

class ProfileGoldenTest : public testing::TestWithParam<Parameter> {};

std::string SerializeIds(const Encoding& encoding) {
  std::string out;
  for (const int32_t id : encoding.ids) {
    AppendLittleEndian(static_cast<uint32_t>(id), &out);
  }
  return out;
}

TEST_P(ProfileGoldenTest, EveryLineEqualsTheReference) {
  const auto [name, profile] = GetParam();
  const bool spm = profile == Profile::kSpm;
  const auto directory = GoldenDirectory() / "tokenizers" / name;
  const auto tokenizer =
      LoadTokenizer(directory.string(), {.profile = profile});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ((*tokenizer)->profile(), profile);
  const std::string expected =
      ReadFile(directory / (spm ? "expected_spm.bin" : "expected_hf5.bin"));
  const std::vector<Case> cases = MakeCases();
  const size_t count = (cases.size() + kEvery - 1) / kEvery;
  ASSERT_EQ(expected.size(), count * 2 * sizeof(uint64_t));
  int failures = 0;
  size_t compared_texts = 0;
  for (size_t i = 0; i < count; ++i) {
    const std::string& text = cases[i * kEvery].text;
    const auto tokens = (*tokenizer)->Tokenize(text);
    ASSERT_TRUE(tokens.ok()) << tokens.status();
    const Encoding encoding = (*tokenizer)->Assemble(*tokens, nullptr);
    const std::string decoded =
        (*tokenizer)->Decode(encoding.ids, /*skip_special_tokens=*/i % 2 == 0);
    const bool same =
        Fnv1a(spm ? SerializeIds(encoding) : Serialize(encoding)) ==
        HashAt(expected, 2 * i);
    const uint64_t text_hash = HashAt(expected, 2 * i + 1);
    compared_texts += text_hash != 0 ? 1 : 0;
    const bool same_text = text_hash == 0 || Fnv1a(decoded) == text_hash;
    if (same && same_text) continue;
    constexpr int kShown = 5;
    if (++failures > kShown) continue;
    ADD_FAILURE() << "case " << i * kEvery << " '" << text << "'"
                  << (same ? "" : ": encoding")
                  << (same_text ? "" : ": decoded text '" + decoded + "'")
                  << " differs; ours:" << Describe(encoding, **tokenizer);
  }
  EXPECT_EQ(failures, 0) << "of " << count << " cases";
  EXPECT_GT(compared_texts, count / 4);
}

std::string NameOf(const testing::TestParamInfo<Parameter>& info) {
  std::string name = info.param.name;
  std::erase(name, '-');
  return name + std::string(ProfileName(info.param.profile));
}

std::vector<Parameter> Parameters() {
  std::vector<Parameter> out;
  for (const char* name :
       {"v2-punct", "v3-lower", "v3-multilingual", "mdeberta-folded"}) {
    out.push_back({name, Profile::kHf5});
    out.push_back({name, Profile::kSpm});
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, ProfileGoldenTest,
                         testing::ValuesIn(Parameters()), NameOf);

}  // namespace
}  // namespace deberta::tokenizer
