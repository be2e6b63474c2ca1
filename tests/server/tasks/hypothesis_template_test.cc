#include "server/tasks/hypothesis_template.h"

#include <string>

#include "gtest/gtest.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

// What Python's template.format(label) gives, or "refused".
std::string Format(const std::string& text, const std::string& label) {
  const auto parsed = HypothesisTemplate::Parse(text);
  if (!parsed.ok()) {
    EXPECT_EQ(InputErrorField(parsed.status()), "hypothesis_template");
    return "refused";
  }
  const std::string formatted = parsed->Format(label);
  EXPECT_EQ(parsed->FormattedBytes(label.size()), formatted.size());
  return formatted;
}

TEST(HypothesisTemplateTest, PutsTheLabelAsPythonDoes) {
  EXPECT_EQ(Format("This example is {}.", "news"), "This example is news.");
  EXPECT_EQ(Format("{}", "a{}b"), "a{}b") << "labels are not templates";
  EXPECT_EQ(Format("{0}, {0} and {0}", "x"), "x, x and x");
  EXPECT_EQ(Format("{{{}}}", "x"), "{x}");
  EXPECT_EQ(Format("{{}} {0}}}", "x"), "{} x}");
  EXPECT_EQ(Format("\u00e9{}\U0001F642", "\u6771"), "\u00e9\u6771\U0001F642");
}

// Each raises in Python: IndexError, KeyError or ValueError.
TEST(HypothesisTemplateTest, RefusesWhatPythonCannotFill) {
  for (const char* text : {"{} and {}", "{1}", "{label}", "{", "}", "a } {}",
                           "{ }", "{}{0}", "{0}{}", "{}}", "{{}"}) {
    EXPECT_EQ(Format(text, "x"), "refused") << text;
  }
}

// Python does these; a label has no use for them.
TEST(HypothesisTemplateTest, RefusesConversionsAndFormats) {
  for (const char* text : {"{!r}", "{0:>10}", "{0.real}", "{0[0]}"}) {
    EXPECT_EQ(Format(text, "x"), "refused") << text;
  }
}

// The reference lets "{{}}" pass, and asks the same for every label.
TEST(HypothesisTemplateTest, RefusesATemplateWithoutAPlace) {
  for (const char* text : {"no place", "{{}}", "{{0}}"}) {
    EXPECT_EQ(Format(text, "x"), "refused") << text;
  }
}

}  // namespace
}  // namespace deberta::server
