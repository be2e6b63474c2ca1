#include "tokenizer/text/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Matches(std::string_view pattern,
                                 std::string_view text) {
  const auto regex = Regex::Compile(pattern);
  EXPECT_TRUE(regex.ok()) << regex.status();
  std::vector<std::string> matches;
  if (!regex.ok()) return matches;
  for (size_t from = 0; const auto match = regex->Find(text, from);) {
    matches.emplace_back(text.substr(match->begin, match->end - match->begin));
    from = match->end;
  }
  return matches;
}

TEST(RegexTest, ClassesAreThoseOfOniguruma) {
  EXPECT_THAT(Matches("\\d+", "a1\u0661\u00b2"), ElementsAre("1\u0661"));
  EXPECT_THAT(Matches("\\w+", "na\u00efve_1 \u4e2d-\u00b2"),
              ElementsAre("na\u00efve_1", "\u4e2d", "\u00b2"));
  // In a class it has no fractions, and so two classes may share them.
  EXPECT_THAT(Matches("\\w+|[^\\w\\s]+", "a\u00bd-\u00bd.\u00b2b"),
              ElementsAre("a\u00bd", "-\u00bd.\u00b2", "b"));
  EXPECT_THAT(Matches("[\\w-]+|[^\\p{Word}]", "a\u00bd-"),
              ElementsAre("a", "\u00bd", "-"));
  EXPECT_THAT(Matches("\\s", "a\u3000\tb\u00a0"),
              ElementsAre("\u3000", "\t", "\u00a0"));
  EXPECT_THAT(Matches("\\p{N}{1,3}", "12345"), ElementsAre("123", "45"));
  EXPECT_THAT(Matches("[^\\r\\n\\p{L}]", "a-\n\u00e9."), ElementsAre("-", "."));
  EXPECT_THAT(Matches("[a-c\\-x]+", "ab-xyz"), ElementsAre("ab-x"));
  EXPECT_THAT(
      Matches("\\p{Lu}[\\p{Ll}\\p{M}]+|[\\p{P}\\p{S}]", "\u00c9te\u0301A-+"),
      ElementsAre("\u00c9te\u0301", "-", "+"));
  EXPECT_THAT(Matches("\\p{Lo}+", "\U00013460\u4e2da"),
              ElementsAre("\U00013460\u4e2d"));
  EXPECT_THAT(Matches("\\x{4e2d}|\\u6587", "\u4e2d\u6587"),
              ElementsAre("\u4e2d", "\u6587"));
}

// The first alternative that fits, not the longest one.
TEST(RegexTest, MatchesAsBacktrackingDoes) {
  EXPECT_THAT(Matches("a|ab", "ab"), ElementsAre("a"));
  EXPECT_THAT(Matches("ab??", "ab"), ElementsAre("a"));
  EXPECT_THAT(Matches(".", "a\nb"), ElementsAre("a", "b"));
}

// White space before a word leaves its last character to the word; alone, and
// at the text's end, it is whole.
TEST(RegexTest, LeavesTheLastSpaceToTheWord) {
  const char* gpt2 =
      "'s|'t| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  EXPECT_THAT(Matches(gpt2, "a   b  "), ElementsAre("a", "  ", " b", "  "));
  EXPECT_THAT(Matches(gpt2, " \n\tb it's"),
              ElementsAre(" \n", "\t", "b", " it", "'s"));
  EXPECT_THAT(Matches(gpt2, "a\u3000\u3000\u4e2d"),
              ElementsAre("a", "\u3000", "\u3000", "\u4e2d"));
  EXPECT_THAT(Matches("\\s+(?!\\S)|\\s", "  a \n b"),
              ElementsAre(" ", " ", " \n", " "));
  const char* cl100k =
      "(?i:'s|'ll|'k)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  EXPECT_THAT(Matches(cl100k, "We'LL  go'\u017f\n \n  on'\u212a \t\n"),
              ElementsAre("We", "'LL", " ", " go", "'\u017f", "\n \n", " ",
                          " on", "'\u212a", " \t\n"));
}

TEST(RegexTest, UnderstandsLookAheadAtTheEndAlone) {
  for (const char* pattern :
       {"\\s+(?!\\S)", "\\s+(?!\\S)|\\s+|a", "a|(?:\\s+(?!\\S)|\\s+)",
        "x\\s+(?!\\S)|\\s+", "\\s+(?!\\S)|a|\\s+", "\\s*[\\r\\n]+",
        "\\s*[\\r\\n]+|\\s", "[a|\\s+(?!\\S)|\\s+", "(?i:ss)|a", "(?i:[a-z])|a",
        "(?i:a", "a|(?i:b)"}) {
    EXPECT_EQ(Regex::Compile(pattern).status().code(),
              absl::StatusCode::kInvalidArgument)
        << pattern;
  }
}

// No character is read more than a few times, whatever follows the white space.
TEST(RegexTest, ReadsLongWhiteSpaceOnce) {
  const char* pattern = "a|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  const std::string spaces(1 << 20, ' ');
  EXPECT_EQ(Matches(pattern, spaces + "b").size(), 2u);
  EXPECT_EQ(Matches(pattern, spaces + "\n" + spaces).size(), 2u);
  std::string lines;
  for (int i = 0; i < (1 << 18); ++i) lines += " \nb";
  EXPECT_EQ(Matches(pattern, lines).size(), size_t{1} << 18);
}

TEST(RegexTest, RefusesByNameWhatCannotRunInLinearTimeOrMeansSomethingElse) {
  const struct {
    std::string pattern;
    const char* what;
  } kRefused[] = {
      {"a(?=b)", "look-ahead"},
      {"a(?!b)", "look-ahead"},
      {"(?<=a)b", "look-behind"},
      {"(?i)a", "(?"},
      {"(a)\\1", "back reference"},
      {"a++", "second repetition"},
      {"a{1,3}?", "second repetition"},
      {"a*", "empty text"},
      {"^a", "anchor"},
      {"a$", "anchor"},
      {"\\ba", "this escape"},
      {"\\p{Han}", "the property \"Han\""},
      {"[[:alpha:]]", "a class in a class"},
      {"a)", "unmatched"},
      {"(a", "without its end"},
      {"[a", "without its end"},
      {"a{300}", "so often"},
      {"(?:a+)+", "repetition without end"},
      {"a.*b", "repetition without end"},
      {"a\\", "backslash"},
      {std::string(2000, 'a'), "at most"},
      {"\xff", "UTF-8"},
  };
  for (const auto& [pattern, what] : kRefused) {
    const auto regex = Regex::Compile(pattern);
    EXPECT_EQ(regex.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(regex.status().message()), HasSubstr(what));
    EXPECT_LT(regex.status().message().size(), 300u);
  }
}

// A program of any size would be built before its memory is looked at.
TEST(RegexTest, RefusesAProgramThatTakesTooMuchMemory) {
  const auto regex = Regex::Compile("(?:(?:(?:\\w{256}){200}){200}){200}");
  EXPECT_EQ(regex.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(RegexTest, FindsNothingInNothing) {
  EXPECT_THAT(Matches("a", ""), ElementsAre());
  EXPECT_THAT(Matches("a", "b"), ElementsAre());
}

}  // namespace
}  // namespace deberta::tokenizer
