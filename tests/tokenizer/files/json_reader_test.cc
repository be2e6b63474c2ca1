#include "tokenizer/files/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace deberta::tokenizer {
namespace {

using ::testing::HasSubstr;

JsonDocument Parse(std::string_view text) {
  auto document = JsonDocument::Parse("f.json", text);
  EXPECT_TRUE(document.ok()) << document.status();
  return *std::move(document);
}

TEST(JsonReaderTest, ReadsValues) {
  const JsonDocument document =
      Parse(R"({"a": {"b": [1, "x", true, null, 1e30]}, "n": null})");
  const auto elements = document.root().At("a").At("b").Elements();
  ASSERT_EQ(elements.size(), 5u);
  EXPECT_EQ(elements[0].Int32(), 1);
  EXPECT_EQ(elements[1].String(), "x");
  EXPECT_TRUE(elements[2].Bool());
  EXPECT_FALSE(elements[3].present());
  EXPECT_EQ(elements[4].Number(), 1e30);
  EXPECT_EQ(document.root().At("n").StringOr("d"), "d");
  EXPECT_TRUE(document.root().At("missing").BoolOr(true));
  EXPECT_TRUE(document.error().ok());
}

TEST(JsonReaderTest, KeepsTheFirstErrorWithItsPath) {
  const JsonDocument document = Parse(R"({"a": {"b": [1, "x"]}})");
  const JsonNode list = document.root().At("a").At("b");
  EXPECT_EQ(list.Elements()[1].Int32(), 0);
  EXPECT_EQ(list.At("c").String(), "");
  EXPECT_EQ(document.error().message(),
            "f.json: a.b[1]: expected a whole number from 0 to 2147483647, got "
            "\"x\"");
}

TEST(JsonReaderTest, SaysWhatItGotInstead) {
  const auto message = [](std::string_view text) {
    const JsonDocument document = Parse(text);
    document.root().At("k").String();
    return std::string(document.error().message());
  };
  EXPECT_EQ(message("{}"), "f.json: k: expected a string, got nothing");
  EXPECT_EQ(message(R"({"k": [1, 2]})"),
            "f.json: k: expected a string, got an array of 2");
  EXPECT_EQ(message("3"), "f.json: expected an object, got 3");
  EXPECT_EQ(message(R"({"k": -1.5})"),
            "f.json: k: expected a string, got -1.5");
}

TEST(JsonReaderTest, RefusesNumbersThatAreNoIds) {
  for (const char* text : {"-1", "1.0", "2147483648", "\"1\"", "1e3"}) {
    const JsonDocument document = Parse(text);
    document.root().Int32();
    EXPECT_FALSE(document.error().ok()) << text;
  }
}

TEST(JsonReaderTest, NamesUnknownFields) {
  const JsonDocument document = Parse(R"({"a": 1, "b": {"odd": 2}})");
  document.root().AllowOnly({"a", "b"});
  EXPECT_TRUE(document.error().ok());
  document.root().At("b").AllowOnly({"even"});
  EXPECT_THAT(std::string(document.error().message()), HasSubstr("b.odd"));
}

TEST(JsonReaderTest, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", "{", "{\"a\":1,}", "[1] 2", "\"\xFF\"", "\"\\ud800\"", "nul"}) {
    EXPECT_FALSE(JsonDocument::Parse("f.json", text).ok()) << text;
  }
}

TEST(JsonReaderTest, SaysWhereAFileBreaks) {
  EXPECT_EQ(
      JsonDocument::Parse("f.json", "{\"a\": {\"b\": }}").status().message(),
      "f.json: not valid JSON: line 1, column 13, in a.b: expected a "
      "value, got '}'");
}

// Python writes them, and no one need read them.
TEST(JsonReaderTest, RefusesOnlyNumbersInUseThatAreNotFinite) {
  const JsonDocument document = Parse(R"({"a": NaN, "b": {"c": Infinity}})");
  EXPECT_TRUE(document.root().At("a").present());
  EXPECT_TRUE(document.error().ok());
  document.root().At("b").At("c").Number();
  EXPECT_EQ(document.error().message(),
            "f.json: b.c: expected a finite number, got Infinity");
  const JsonDocument other = Parse(R"({"id": NaN})");
  other.root().At("id").Int32();
  EXPECT_THAT(std::string(other.error().message()), HasSubstr("got NaN"));
}

TEST(JsonReaderTest, RefusesDeepNesting) {
  constexpr size_t kDepth = 1000000;
  for (const std::string& text :
       {std::string(kDepth, '['),
        std::string(kDepth, '[') + std::string(kDepth, ']')}) {
    EXPECT_THAT(
        std::string(JsonDocument::Parse("f.json", text).status().message()),
        HasSubstr("nested deeper"));
  }
}

}  // namespace
}  // namespace deberta::tokenizer
