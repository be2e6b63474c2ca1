#include "tokenizer/text/unicode.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tokenizer/text/unicode_script.h"

namespace deberta::tokenizer {
namespace {

// Number and FNV-1a hash of the code points with a property.
template <typename Property>
std::pair<int, uint64_t> Members(Property has_property) {
  int count = 0;
  uint64_t hash = 0xCBF29CE484222325;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    if (!has_property(c)) continue;
    ++count;
    hash = (hash ^ c) * 0x100000001B3;
  }
  return {count, hash};
}

// Expected values: tests/golden/generators/unicode_classes.py.
TEST(UnicodeTest, ClassesEqualTheReferenceOnEveryCodePoint) {
  using P = std::pair<int, uint64_t>;
  EXPECT_EQ(Members(IsWhiteSpace), P(25, 0x231591AD12FFE059));
  EXPECT_EQ(Members(IsLetter), P(141028, 0x9ABBEC5090CDD78D));
  EXPECT_EQ(Members(IsNumber), P(1911, 0x88882B4D56227662));
  EXPECT_EQ(Members(IsWordCharacter), P(144667, 0x74E9E67363C9083F));
  EXPECT_EQ(Members(IsPunctuation), P(726, 0xED67276710CF5944));
}

TEST(UnicodeTest, ScriptsEqualTheReferenceOnEveryCodePoint) {
  using P = std::pair<int, uint64_t>;
  const auto cut = [](char32_t before, char32_t c) {
    const uint8_t a = ScriptOf(before);
    const uint8_t b = ScriptOf(c);
    return a != 0 && b != 0 && a != b;
  };
  EXPECT_EQ(Members([&](char32_t c) {
              return c != 0 && c != 0xE000 && cut(c - 1, c);
            }),
            P(215, 0x391ACF76AAFB5BFE));
  EXPECT_EQ(Members([&](char32_t c) { return cut('A', c); }),
            P(126886, 0x85359EBAA0BA0F06));
  EXPECT_EQ(Members([&](char32_t c) { return cut(0x30A2, c); }),
            P(46110, 0xED2C5E46213013DE));
  EXPECT_EQ(Members([&](char32_t c) { return cut(',', c); }),
            P(120959, 0x9C3458849628CB43));
}

TEST(UnicodeTest, EncodesAndDecodesEveryScalarValue) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    AppendUtf8(c, &text);
    ASSERT_EQ(FindInvalidUtf8(text), std::nullopt) << std::hex << uint32_t{c};
    ASSERT_EQ(Utf8Length(text[0]), text.size());
    size_t position = 0;
    ASSERT_EQ(DecodeUtf8(text, &position), c);
    ASSERT_EQ(position, text.size());
    ASSERT_EQ(DecodeUtf8Before(text, &position), c);
    ASSERT_EQ(position, 0u);
  }
}

TEST(UnicodeTest, FindsTheFirstInvalidByte) {
  EXPECT_EQ(FindInvalidUtf8(""), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8(std::string_view("a\0b", 3)), std::nullopt);
  const std::pair<const char*, size_t> kCases[] = {
      {"\x80", 0},                  // continuation alone
      {"ab\xC3", 2},                // truncated
      {"\xC0\xAF", 0},              // overlong
      {"\xE0\x9F\xBF", 0},          // overlong
      {"\xF0\x8F\xBF\xBF", 0},      // overlong
      {"x\xED\xA0\x80", 1},         // surrogate
      {"\xF4\x90\x80\x80", 0},      // above U+10FFFF
      {"\xF5\x80\x80\x80", 0},      // no such lead
      {"\xC3\xA9\xE2\x82\x41", 2},  // third byte is no continuation
      {"12345678abcdefg\xFF", 15},  // behind whole words of ASCII
  };
  for (const auto& [text, where] : kCases) {
    EXPECT_EQ(FindInvalidUtf8(text), where) << text;
  }
}

TEST(UnicodeTest, ReplacesEachMaximalIllFormedPart) {
  // Expected: bytes.decode("utf-8", errors="replace") of Python.
  EXPECT_EQ(ReplaceInvalidUtf8("a\xE2\x82z"), "a\uFFFDz");
  EXPECT_EQ(ReplaceInvalidUtf8("\xE2\x28\xA1"), "\uFFFD(\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("\xF0\x9F\x98"), "\uFFFD");
  EXPECT_EQ(ReplaceInvalidUtf8("\xC3\xA9 ok"), "\u00E9 ok");
}

TEST(UnicodeTest, CountsCodePoints) {
  EXPECT_EQ(CountCodePoints(""), 0u);
  EXPECT_EQ(CountCodePoints("a\u00E9\u20AC\U0001F600"), 4u);
}

}  // namespace
}  // namespace deberta::tokenizer
