#include "tokenizer/text/words.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tokenizer/text/lower_case.h"
#include "tokenizer/text/text_index.h"

namespace deberta::tokenizer {
namespace {

using nlohmann::json;

std::vector<Span> SpansOf(const json& starts, const json& ends) {
  std::vector<Span> spans;
  for (size_t i = 0; i < starts.size(); ++i) {
    spans.push_back({starts[i].get<uint32_t>(), ends[i].get<uint32_t>()});
  }
  return spans;
}

// Expected: tests/golden/generators/make_word_tables.py.
json Cases(const std::string& name) {
  std::ifstream file(std::string(DEBERTA_SOURCE_DIR) + "/tests/golden/words/" +
                     name);
  json cases = json::parse(file);
  EXPECT_GE(cases.size(), 400u);
  return cases;
}

TEST(WordsTest, EqualTheReferenceOnRandomTexts) {
  for (const json& c : Cases("gliner.json")) {
    SCOPED_TRACE(c.dump());
    EXPECT_EQ(GlinerWords(c[0].get<std::string>()), SpansOf(c[1], c[2]));
  }
}

TEST(WordsTest, Gliner2EqualsTheReferenceOnRandomTexts) {
  for (const json& c : Cases("gliner2.json")) {
    SCOPED_TRACE(c.dump());
    const auto text = c[0].get<std::string>();
    const std::vector<Span> words = Gliner2Words(text);
    EXPECT_EQ(words, SpansOf(c[1], c[2]));
    const TextIndex places(text);
    std::vector<std::string> lower;
    for (const Span word : words) {
      lower.push_back(PythonLower(places.Text(word)));
    }
    EXPECT_EQ(lower, c[3].get<std::vector<std::string>>());
  }
}

// Runs of what may begin an address are not read again from each place.
TEST(WordsTest, Gliner2IsLinearInRunsThatAreNoAddress) {
  const std::string run(1 << 20, '.');
  EXPECT_EQ(Gliner2Words(run).size(), run.size());
  EXPECT_EQ(Gliner2Words(run + "@" + run).size(), 2 * run.size() + 1);
}

// len, and the sum, of the code points that re.match(pattern, chr(c)) takes,
// without surrogates, of Python 3.11.
TEST(WordsTest, ClassesEqualPythonOnEveryCodePoint) {
  uint64_t words = 0;
  uint64_t word_sum = 0;
  uint64_t spaces = 0;
  uint64_t space_sum = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    if (IsPythonWordCharacter(c)) {
      ++words;
      word_sum += c;
    }
    if (IsPythonSpace(c)) {
      ++spaces;
      space_sum += c;
    }
  }
  EXPECT_EQ(words, 133548u);
  EXPECT_EQ(word_sum, 14002814312u);
  EXPECT_EQ(spaces, 29u);
  EXPECT_EQ(space_sum, 141704u);
}

}  // namespace
}  // namespace deberta::tokenizer
