#include "json/json.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::json {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Value Parsed(std::string_view text) {
  auto value = Parse(text);
  EXPECT_TRUE(value.ok()) << text << ": " << value.status();
  return value.ok() ? *std::move(value) : Value();
}

std::string Refusal(std::string_view text, const ParseOptions& options = {}) {
  const auto value = Parse(text, options);
  EXPECT_TRUE(absl::IsInvalidArgument(value.status())) << text;
  return std::string(value.status().message());
}

// The strict parser of the library, for texts that both take.
TEST(JsonTest, ReadsWhatStrictJsonAllows) {
  for (const char* text : {
           "{}",
           "[]",
           " [ ] ",
           "0",
           "-0",
           "7",
           "-7",
           "18446744073709551615",
           "18446744073709551616",
           "-9223372036854775808",
           "-9223372036854775809",
           "0.1",
           "-1.5e-7",
           "1E+2",
           "2.2250738585072014e-308",
           "4.9406564584124654e-324",
           "1e-400",
           "0.30000000000000004",
           "123456789012345678901234567890.5",
           "\"\"",
           R"("a\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00b")",
           "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
           R"({"b":[1,{"a":null}],"a":{"x":[[],{}]},"c":true,"d":false})",
           "\t\r\n{ \"k\" : [ 1 , 2 ] , \"k\" : 3 }\n",
       }) {
    const Value expected = Value::parse(text);
    const Value value = Parsed(text);
    EXPECT_EQ(value, expected) << text;
    EXPECT_EQ(value.type(), expected.type()) << text;
    EXPECT_EQ(value.dump(), expected.dump()) << text;
  }
}

// Files that Python wrote: json.dump writes these, and json.load reads them.
TEST(JsonTest, ReadsPythonsNumbers) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Value value = Parsed(
      R"({"a": NaN, "b": [Infinity, -Infinity], "c": 1e999, "d": -1e999})");
  EXPECT_TRUE(std::isnan(value["a"].get<double>()));
  EXPECT_EQ(value["b"][0], kInfinity);
  EXPECT_EQ(value["b"][1], -kInfinity);
  EXPECT_EQ(value["c"], kInfinity);
  EXPECT_EQ(value["d"], -kInfinity);
  for (const char* text : {"nan", "-NaN", "inf", "+Infinity", "NaNs", "- 1"}) {
    EXPECT_FALSE(Parse(text).ok()) << text;
  }
}

TEST(JsonTest, PassesOverAByteOrderMark) {
  EXPECT_EQ(Parsed("\xef\xbb\xbf{}"), Value::object());
  EXPECT_FALSE(Parse("\xef\xbb\xbf\xef\xbb\xbf{}").ok());
}

TEST(JsonTest, TheLastOfEqualKeysWinsUnlessTheyMustDiffer) {
  EXPECT_EQ(Parsed(R"({"a": [1, 2], "a": 3})"), Value({{"a", 3}}));
  EXPECT_EQ(Refusal(R"({"x": {"a": 1, "a": 2}})", {.unique_keys = true}),
            "line 1, column 19, in x.a: the key is given twice");
  EXPECT_TRUE(
      Parse(R"([{"a": 1}, {"a": {"a": 2}}])", {.unique_keys = true}).ok());
}

TEST(JsonTest, SaysWhereATextBreaks) {
  EXPECT_EQ(Refusal(""),
            "line 1, column 1: expected a value, got the end of the text");
  EXPECT_EQ(Refusal("{\"a\": 1,\n \"b\": {\"c\": [1, 2 3]}}"),
            "line 2, column 19, in b.c[1]: expected ',' or ']', got '3'");
  EXPECT_EQ(Refusal("{\"a\": 1,\n}"),
            "line 2, column 1, in a: expected a key in quotes, got '}'");
  EXPECT_EQ(Refusal("[1, 2"),
            "line 1, column 6, in [1]: expected ',' or ']', got the end of the "
            "text");
  EXPECT_EQ(Refusal("{\"k\" 1}"),
            "line 1, column 6, in k: expected ':', got '1'");
  EXPECT_EQ(Refusal("[1] 2"),
            "line 1, column 5: expected the end of the text, got '2'");
  // Columns are of characters.
  EXPECT_EQ(Refusal("[\"\xc3\xa9\xf0\x9f\x98\x80\", x]"),
            "line 1, column 8, in [1]: expected a value, got 'x'");
}

TEST(JsonTest, RefusesWhatIsNotJson) {
  for (const char* text : {"{",
                           "[1,]",
                           "[,1]",
                           "{,}",
                           "{1:2}",
                           "01",
                           "1.",
                           ".5",
                           "1e",
                           "-",
                           "+1",
                           "tru",
                           "[1}",
                           "{\"a\":1]",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12g4\"",
                           "\"\\",
                           "\"a\nb\"",
                           "'a'",
                           "/**/1",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"\\ud800x\"",
                           "nul"}) {
    EXPECT_THAT(Refusal(text), StartsWith("line 1")) << text;
  }
  EXPECT_FALSE(Parse(std::string_view("1\0", 2)).ok());
}

TEST(JsonTest, RefusesWhatIsNotUtf8) {
  for (const char* text :
       {"\"\xff\"", "\"\x80\"", "\"\xc0\xaf\"", "\"\xe0\x80\x80\"",
        "\"\xed\xa0\x80\"", "\"\xf0\x80\x80\x80\"", "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"", "\"\xc3\"", "\"\xe2\x82", "{\"\xff\": 1}"}) {
    EXPECT_THAT(Refusal(text), HasSubstr("UTF-8")) << text;
  }
  EXPECT_EQ(Refusal("{\"a\": \"b\xff\"}"),
            "line 1, column 9, in a: expected UTF-8, got the byte 0xff");
}

TEST(JsonTest, RefusesDeepNesting) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_TRUE(Parse(nested(kMaxDepth)).ok());
  EXPECT_THAT(
      Refusal(nested(kMaxDepth + 1)),
      testing::AllOf(StartsWith("line 1, column 129, in [0][0]"),
                     testing::EndsWith("nested deeper than 128 levels")));
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  EXPECT_LT(Refusal(objects).size(), 300u);
}

TEST(JsonTest, KeepsMessagesShortAndPrintable) {
  const std::string key(100'000, 'k');
  EXPECT_LT(Refusal("{\"" + key + "\": {\"" + key + "\": x}}").size(), 300u);
  EXPECT_EQ(Refusal("{\"\xc3\xa9\\n\": x}"),
            "line 1, column 9, in \\u00e9\\n: expected a value, got 'x'");
}

TEST(JsonTest, ListsKeysInTheFilesOrder) {
  constexpr char kText[] = R"({"a": {"m": 1}, "m": {"z": 1, "a": {"x": 2},
                               "z": 3, "b": []}, "b": [{"m": {"q": 1}}]})";
  EXPECT_THAT(KeysInOrder(kText, "m"), ElementsAre("z", "a", "b"));
  EXPECT_THAT(KeysInOrder(kText, "a"), ElementsAre("m"));
  EXPECT_THAT(KeysInOrder(kText, "b"), IsEmpty());
  EXPECT_THAT(KeysInOrder(kText, "none"), IsEmpty());
  EXPECT_THAT(KeysInOrder("[[1]]", "m"), IsEmpty());
  EXPECT_THAT(KeysInOrder("{", "m"), IsEmpty());
  EXPECT_THAT(KeysInOrder(R"({"m": {"a": 1}, "m": {"c": 1, "b": 2}})", "m"),
              ElementsAre("c", "b"));
}

TEST(JsonTest, ShowsValues) {
  EXPECT_EQ(Shown(Parsed("NaN")), "NaN");
  EXPECT_EQ(Shown(Parsed("-Infinity")), "-Infinity");
  EXPECT_EQ(Shown(Parsed("[1, \"\xc3\xa9\"]")), "[1,\"\\u00e9\"]");
  EXPECT_EQ(Shown(Value(std::string(100, 'x'))),
            std::string("\"").append(59, 'x').append("..."));
}

}  // namespace
}  // namespace deberta::json
