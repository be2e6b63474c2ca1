#include "tools/table.h"

#include <gtest/gtest.h>

namespace deberta::tools {
namespace {

TEST(TableTest, AlignsByCodePoints) {
  const Table table{.columns = {{"label"}, {"score", true}, {"text"}},
                    .rows = {{"é", "0.5", "a"}, {"games", "10.25", "long"}}};
  EXPECT_EQ(FormatTable(table, "> "),
            "> label  score  text\n"
            "> é        0.5  a\n"
            "> games  10.25  long\n");
}

TEST(TableTest, ControlCharactersDoNotReachTheTerminal) {
  const Table table{.columns = {{"t"}}, .rows = {{"a\x1b[31m\nb\x7f"}}};
  EXPECT_EQ(FormatTable(table, ""), "t\na [31m b \n");
}

TEST(TableTest, ShortenCutsBetweenCodePoints) {
  EXPECT_EQ(Shorten("äöüß", 4), "äöüß");
  EXPECT_EQ(Shorten("äöüß!", 4), "äöüß…");
  EXPECT_EQ(Shorten("", 4), "");
}

}  // namespace
}  // namespace deberta::tools
