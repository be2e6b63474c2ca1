#include "tools/bench/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace deberta::tools {
namespace {

using ::testing::HasSubstr;

TEST(ShapeTest, ParsesBatchesAndLists) {
  absl::StatusOr<std::vector<Shape>> shapes =
      ParseShapes("1x16,3x2,lengths:12+80+7");
  ASSERT_TRUE(shapes.ok()) << shapes.status();
  EXPECT_EQ(*shapes, (std::vector<Shape>{{16}, {2, 2, 2}, {12, 80, 7}}));
  EXPECT_EQ(Tokens(shapes->back()), 99u);
}

TEST(ShapeTest, QuotesWhatIsWrong) {
  for (const char* bad :
       {"", "8", "x", "8x", "x8", "0x8", "8x0", "-1x8", "8x8x8", "8x1e3",
        "lengths:", "lengths:5+", "lengths:5+0", "lengths:4x4", "1048577x1",
        "4096x4096", "99999999999x1"}) {
    absl::StatusOr<std::vector<Shape>> shapes =
        ParseShapes(std::string("1x16,") + bad);
    ASSERT_FALSE(shapes.ok()) << bad;
    EXPECT_THAT(std::string(shapes.status().message()),
                HasSubstr(std::string("'") + bad + "'"));
  }
}

}  // namespace
}  // namespace deberta::tools
