#include "tokenizer/normalization/normalization_form.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace deberta::tokenizer {
namespace {

struct Result {
  std::u32string text;
  std::vector<uint32_t> starts;  // of the characters' spans
};

Result Nfc(const std::u32string& source) {
  AlignedText text;
  for (const char32_t c : source) {
    const auto at = static_cast<uint32_t>(text.size());
    text.push_back({c, {at, at + 1}});
  }
  ApplyForm(NormalizationForm::kNfc, &text);
  Result result;
  for (const AlignedChar& c : text) {
    result.text.push_back(c.value);
    result.starts.push_back(c.span.start);
  }
  return result;
}

using Starts = std::vector<uint32_t>;

TEST(NormalizerNfcTest, ComposesOntoTheFirstCharacter) {
  const Result result = Nfc(U"xe\u0301y");
  EXPECT_EQ(result.text, U"x\u00e9y");
  EXPECT_EQ(result.starts, (Starts{0, 1, 3}));
}

TEST(NormalizerNfcTest, OrdersMarksByClass) {
  EXPECT_EQ(Nfc(U"a\u0315\u0300\u05ae\u0301b").text,
            U"\u00e0\u05ae\u0301\u0315b");
  // A mark of the same class in between blocks.
  EXPECT_EQ(Nfc(U"a\u05ae\u0300\u0301").text, U"\u00e0\u05ae\u0301");
  EXPECT_EQ(Nfc(U"\u0301\u0301a").text, U"\u0301\u0301a");
}

TEST(NormalizerNfcTest, ComposesHangulAndTwoStarters) {
  EXPECT_EQ(Nfc(U"\u1100\u1161\u11a8").text, U"\uac01");
  EXPECT_EQ(Nfc(U"\uac01").text, U"\uac01");
  EXPECT_EQ(Nfc(U"\u09c7\u09be").text, U"\u09cb");
}

TEST(NormalizerNfcTest, ExcludedCompositionsStayApart) {
  const Result result = Nfc(U"a\u0958b");
  EXPECT_EQ(result.text, U"a\u0915\u093cb");
  EXPECT_EQ(result.starts, (Starts{0, 1, 1, 2}));
}

TEST(NormalizerNfcTest, KnowsNoMarksAfterUnicode9) {
  EXPECT_EQ(Nfc(U"a\u1abf\u0327").text, U"a\u1abf\u0327");
  EXPECT_EQ(Nfc(U"a\u1abd\u0327").text, U"a\u0327\u1abd");
  EXPECT_EQ(Nfc(U"\U00011935\U00011930").text, U"\U00011935\U00011930");
}

}  // namespace
}  // namespace deberta::tokenizer
