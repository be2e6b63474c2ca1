// No text takes out of proportion to its length: whatever the tokenizer, the
// profile and the kind of text, a quarter of a megabyte takes no more than 30
// times as long as prose. The worst measured is 5 times; quadratic work would
// take thousands. Processor time, the best of three runs, so that a busy
// machine does not matter.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/loader.h"

namespace deberta::tokenizer {
namespace {

constexpr size_t kLength = 1 << 18;

std::string Repeat(std::string_view part, size_t length) {
  std::string text;
  while (text.size() < length) text.append(part);
  return text;
}

struct Kind {
  const char* name;
  std::string_view part;
};

constexpr std::string_view kProse =
    "The quick brown fox jumps over the lazy dog, and then it sleeps in the "
    "sun. Nobody knows what the dog thinks about it; 12 foxes were asked. ";

constexpr Kind kKinds[] = {
    {"one letter", "a"},
    {"one digit", "0"},
    {"two letters", "ab"},
    {"spaces", " "},
    {"white space", "\u3000\t"},
    {"newlines", "\n"},
    {"metaspaces", "\u2581"},
    {"letters without spaces", "thequickbrownfoxjumpsoverthelazydog"},
    {"punctuation", "!?.,;:-"},
    {"unknown characters", "\U00013000\U0001F9FF"},
    {"CJK", "\u4e2d\u6587\u5b57"},
    {"combining marks", "\u0301"},
    {"marks to be ordered", "\u0315\u0300\u0316"},
    {"Hangul letters", "\u1100\u1161\u11a8"},
    {"half-width kana", "\uff76\uff9e"},
    {"joiners", "\U0001f468\u200d"},
    {"regional indicators", "\U0001f1e9"},
    {"conjuncts", "\u0915\u094d"},
    {"masks", "[MASK]"},
    {"spaced masks", "     [MASK]"},
    {"unks", "[UNK] "},
    {"starts of special tokens", "[MAS[CL[SE"},
    {"brackets", "["},
    {"byte pieces", "<0x41>"},
    {"characters that expand", "\u33a5\ufb01\u00bd"},
    {"characters that vanish", "\u200b\ufeff\u00ad"},
    {"zero bytes", std::string_view("\0", 1)},
    {"words of one prefix", "inter internal international internationali "},
};

double Seconds(const Tokenizer& tokenizer, std::string_view text) {
  double best = 1e9;
  for (int run = 0; run < 3; ++run) {
    const std::clock_t start = std::clock();
    const auto tokens = tokenizer.Tokenize(text);
    const auto took = static_cast<double>(std::clock() - start);
    EXPECT_TRUE(tokens.ok()) << tokens.status();
    best = std::min(best, took / CLOCKS_PER_SEC);
  }
  return best;
}

struct Parameter {
  const char* name;
  Profile profile;
};

class LinearTimeTest : public testing::TestWithParam<Parameter> {};

TEST_P(LinearTimeTest, HostileTextsTakeAboutAsLongAsProse) {
  const auto tokenizer = LoadTokenizer(
      std::string(DEBERTA_SOURCE_DIR "/tests/golden/") + GetParam().name,
      {.profile = GetParam().profile});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const double prose = Seconds(**tokenizer, Repeat(kProse, kLength));
  double worst = 0;
  const char* worst_name = "";
  for (const Kind& kind : kKinds) {
    const double whole = Seconds(**tokenizer, Repeat(kind.part, kLength));
    if (whole > worst) {
      worst = whole;
      worst_name = kind.name;
    }
    constexpr double kFactor = 30;
    EXPECT_LT(whole, kFactor * prose) << kind.name;
  }
  std::printf("%s: prose %.1f MB/s, worst %.2f times as long: %s\n",
              GetParam().name, kLength / prose / 1e6, worst / prose,
              worst_name);
}

std::string NameOf(const testing::TestParamInfo<Parameter>& info) {
  std::string name = info.param.name;
  std::erase_if(name, [](char c) { return c == '-' || c == '/'; });
  return name + std::string(ProfileName(info.param.profile));
}

INSTANTIATE_TEST_SUITE_P(
    Tokenizers, LinearTimeTest,
    testing::Values(Parameter{"tokenizers/v1", Profile::kHf4},
                    Parameter{"tokenizers/v1-quirks", Profile::kHf4},
                    Parameter{"tokenizers/v2-punct", Profile::kHf4},
                    Parameter{"tokenizers/v2-punct", Profile::kSpm},
                    Parameter{"tokenizers/v3-lower", Profile::kHf4},
                    Parameter{"tokenizers/v3-lower", Profile::kHf5},
                    Parameter{"tokenizers/v3-lower", Profile::kSpm},
                    Parameter{"tokenizers/v3-multilingual", Profile::kHf4},
                    Parameter{"tokenizers/v3-multilingual", Profile::kHf5},
                    Parameter{"tokenizers/v3-multilingual", Profile::kSpm},
                    Parameter{"tokenizers/mdeberta-folded", Profile::kHf4},
                    Parameter{"pipelines/bert-uncased", Profile::kHf4},
                    Parameter{"pipelines/sp-bpe", Profile::kHf4},
                    Parameter{"pipelines/sp-bpe-metaspace", Profile::kHf4},
                    Parameter{"pipelines/bpe-bytes", Profile::kHf4},
                    Parameter{"pipelines/bpe-digits", Profile::kHf4},
                    Parameter{"pipelines/bpe-suffix", Profile::kHf4},
                    Parameter{"pipelines/split-behaviors", Profile::kHf4},
                    Parameter{"pipelines/spm-bpe", Profile::kHf4},
                    Parameter{"pipelines/spm-bpe", Profile::kHf5},
                    Parameter{"pipelines/spm-bpe", Profile::kSpm},
                    Parameter{"pipelines/spm-bpe-user", Profile::kHf4},
                    Parameter{"pipelines/spm-bpe-user", Profile::kSpm},
                    Parameter{"pipelines/unigram-first", Profile::kHf4},
                    Parameter{"pipelines/unigram-words", Profile::kHf4}),
    NameOf);

}  // namespace
}  // namespace deberta::tokenizer
