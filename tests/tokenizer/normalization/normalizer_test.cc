#include "tokenizer/normalization/normalizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deberta::tokenizer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Step = Normalizer::Step;

// A character map with one-byte keys: the root is unit 0 with offset 256, so
// that the unit of byte `c` is 256 ^ c, its value lies at 512 ^ c.
std::string MakeCharsmap(
    const std::vector<std::pair<unsigned char, std::string>>& entries) {
  constexpr uint32_t kLeaf = 1U << 8;
  constexpr uint32_t kValue = 1U << 31;
  std::vector<uint32_t> units(1024);
  units[0] = 256U << 10;
  std::string strings;
  for (const auto& [key, content] : entries) {
    const uint32_t node = 256U ^ key;
    const uint32_t value_at = 512U | key;
    units[node] = (node ^ value_at) << 10 | kLeaf | key;
    units[value_at] = static_cast<uint32_t>(strings.size()) | kValue;
    strings += content + '\0';
  }
  std::string bytes;
  const auto append = [&bytes](uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>(value >> shift & 0xFF));
    }
  };
  append(static_cast<uint32_t>(units.size() * sizeof(uint32_t)));
  for (const uint32_t unit : units) append(unit);
  return bytes + strings;
}

Normalizer Make(std::vector<Step> steps) {
  auto normalizer = Normalizer::Create(std::move(steps));
  EXPECT_TRUE(normalizer.ok()) << normalizer.status();
  return *std::move(normalizer);
}

// "text[start,end)..." with one span a byte.
std::vector<uint32_t> Starts(const NormalizedText& text) {
  EXPECT_EQ(text.text.size(), text.spans.size());
  std::vector<uint32_t> starts;
  for (const Span& span : text.spans) {
    EXPECT_EQ(span.end, span.start + 1);
    starts.push_back(span.start);
  }
  return starts;
}

TEST(NormalizerTest, WithoutStepsKeepsTheTextAndCountsCodePoints) {
  const NormalizedText out = Normalizer().Normalize("a\u00E9b", 7);
  EXPECT_EQ(out.text, "a\u00E9b");
  EXPECT_THAT(Starts(out), ElementsAre(7, 8, 8, 9));
}

TEST(NormalizerTest, StripsUnicodeWhiteSpaceAtChosenEnds) {
  const std::string text = "\u3000\t a \u00A0";
  const auto strip = [&](bool left, bool right) {
    return Make({Normalizer::Strip{left, right}}).Normalize(text, 0);
  };
  EXPECT_EQ(strip(true, true).text, "a");
  EXPECT_THAT(Starts(strip(true, true)), ElementsAre(3));
  EXPECT_EQ(strip(true, false).text, "a \u00A0");
  EXPECT_EQ(strip(false, true).text, "\u3000\t a");
  EXPECT_EQ(Make({Normalizer::Strip{}}).Normalize(" \u2028", 0).text, "");
  // U+200B is no white space.
  EXPECT_EQ(Make({Normalizer::Strip{}}).Normalize("\u200B", 0).text, "\u200B");
}

TEST(NormalizerTest, LowercasesEachCodePointByItself) {
  const Normalizer lower = Make({Normalizer::Lowercase{}});
  EXPECT_EQ(lower.Normalize("\u03A3\u03A3 \u1E9E", 0).text,
            "\u03C3\u03C3 \u00DF");
  const NormalizedText dotted = lower.Normalize("\u0130X", 0);
  EXPECT_EQ(dotted.text, "i\u0307x");
  EXPECT_THAT(Starts(dotted), ElementsAre(0, 0, 0, 1));
  // Newer than the distribution's tables.
  EXPECT_EQ(lower.Normalize("\u1C89\uA7CB\U00010D65\U00016EB8", 0).text,
            "\u1C8A\u0264\U00010D85\U00016ED3");
}

TEST(NormalizerTest, CollapsesRunsOfSpacesOntoTheLast) {
  const Normalizer collapse = Make({Normalizer::Replace{" {2,}", true, " "}});
  const NormalizedText out = collapse.Normalize("a   b c", 0);
  EXPECT_EQ(out.text, "a b c");
  EXPECT_THAT(Starts(out), ElementsAre(0, 3, 4, 5, 6));
}

TEST(NormalizerTest, ReplacesStringsLeftmostFirst) {
  const Normalizer replace = Make({Normalizer::Replace{"aa", false, "xyz"}});
  const NormalizedText out = replace.Normalize("aaab", 0);
  EXPECT_EQ(out.text, "xyzab");
  EXPECT_THAT(Starts(out), ElementsAre(1, 1, 1, 2, 3));
}

TEST(NormalizerTest, MapsCharactersAndSharesTheirSpans) {
  const Normalizer map =
      Make({Normalizer::Precompiled{MakeCharsmap({{'x', "123"}})}});
  const NormalizedText out = map.Normalize("axb", 0);
  EXPECT_EQ(out.text, "a123b");
  EXPECT_THAT(Starts(out), ElementsAre(0, 1, 1, 1, 2));
}

TEST(NormalizerTest, DropsTheRestOfAShortCluster) {
  const Normalizer map =
      Make({Normalizer::Precompiled{MakeCharsmap({{'x', "y"}})}});
  EXPECT_EQ(map.Normalize("x\u0301\u0302", 0).text, "y");
  // Six bytes and more: each code point by itself.
  EXPECT_EQ(map.Normalize("x\u0301\u0302\u0303", 0).text,
            "y\u0301\u0302\u0303");
}

TEST(NormalizerTest, AlignsRemovalsAsTheReferenceDoes) {
  const Normalizer map =
      Make({Normalizer::Precompiled{MakeCharsmap({{'x', ""}, {'y', "12"}})}});
  EXPECT_THAT(Starts(map.Normalize("axxb", 0)), ElementsAre(0, 3));
  // Nothing before the removed characters takes note of them.
  const NormalizedText leading = map.Normalize("xxab", 0);
  EXPECT_EQ(leading.text, "ab");
  EXPECT_THAT(Starts(leading), ElementsAre(0, 1));
  // A character that was added takes the place of the removed one.
  const NormalizedText added = map.Normalize("yxb", 0);
  EXPECT_EQ(added.text, "12b");
  EXPECT_THAT(Starts(added), ElementsAre(0, 1, 2));
  EXPECT_EQ(map.Normalize("xx", 0).text, "");
}

TEST(NormalizerTest, AppliesStepsInOrder) {
  const Normalizer both = Make(
      {Normalizer::Strip{}, Normalizer::Precompiled{MakeCharsmap({{'x', " "}})},
       Normalizer::Replace{" {2,}", true, " "}});
  EXPECT_EQ(both.Normalize(" xxaxx ", 0).text, " a ");
}

TEST(NormalizerTest, RefusesPatternsItDoesNotKnow) {
  const auto regex =
      Normalizer::Create({Normalizer::Replace{"a(?=b)", true, ""}});
  EXPECT_THAT(regex.status().message(), HasSubstr("a(?=b)"));
  EXPECT_FALSE(Normalizer::Create({Normalizer::Replace{"", false, ""}}).ok());
  EXPECT_FALSE(
      Normalizer::Create({Normalizer::Replace{"\xFF", false, ""}}).ok());
  const std::string long_text(257, 'a');
  EXPECT_FALSE(
      Normalizer::Create({Normalizer::Replace{long_text, false, ""}}).ok());
  EXPECT_FALSE(
      Normalizer::Create({Normalizer::Replace{"a", false, long_text}}).ok());
}

TEST(CharsmapTest, RefusesSizesThatDoNotFit) {
  const std::string good = MakeCharsmap({{'x', "y"}});
  ASSERT_TRUE(Charsmap::Parse(good).ok());
  for (const size_t size : {0U, 3U, 4U, 8U, 4000U}) {
    EXPECT_FALSE(Charsmap::Parse(good.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(Charsmap::Parse(std::string(8, '\0')).ok());
  EXPECT_FALSE(Charsmap::Parse(std::string("\x02\0\0\0abcd", 8)).ok());
  EXPECT_THAT(Charsmap::Parse(good + "\xFF").status().message(),
              HasSubstr("UTF-8 at byte"));
}

TEST(CharsmapTest, SurvivesEveryDamagedUnit) {
  const std::string good = MakeCharsmap({{'x', "\u00E9"}, {'y', "z"}});
  // Values of all bits, of an index behind the end or inside a character.
  for (const size_t unit : {0U, 256U ^ 'x', 512U | 'x', 256U ^ 'y'}) {
    for (const char byte : {'\x00', '\x01', '\x80', '\xFF'}) {
      for (size_t at = 0; at < sizeof(uint32_t); ++at) {
        std::string bad = good;
        bad[4 + unit * 4 + at] = byte;
        const auto map = Charsmap::Parse(bad);
        ASSERT_TRUE(map.ok());
        for (const char c : {'x', 'y', 'z'}) {
          const auto found = map->Find(std::string_view(&c, 1));
          if (found && !found->empty()) {
            EXPECT_NE(static_cast<unsigned char>(found->front()) & 0xC0, 0x80);
          }
        }
      }
    }
  }
}

TEST(CharsmapTest, IgnoresContentOfUnboundedLength) {
  const auto map = Charsmap::Parse(MakeCharsmap(
      {{'x', std::string(256, 'a')}, {'y', std::string(257, 'a')}}));
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->Find("x"), std::string(256, 'a'));
  EXPECT_FALSE(map->Find("y").has_value());
}

TEST(CharsmapTest, NeverFindsNul) {
  const auto map = Charsmap::Parse(MakeCharsmap({{'x', "y"}}));
  ASSERT_TRUE(map.ok());
  EXPECT_FALSE(map->Find(std::string_view("\0x", 2)).has_value());
  EXPECT_EQ(map->Find("x"), "y");
  EXPECT_EQ(map->Find("xzz"), "y");
  EXPECT_FALSE(map->KeepsAscii('x'));
  EXPECT_TRUE(map->KeepsAscii('y'));
}

}  // namespace
}  // namespace deberta::tokenizer
