#include "tools/client/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace deberta::tools {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> Texts(const std::vector<Input>& batch) {
  std::vector<std::string> texts;
  for (const Input& input : batch) {
    texts.push_back(input.pair.empty() ? input.text
                                       : input.text + "|" + input.pair);
  }
  return texts;
}

TEST(InputsTest, LinesComeInBatchesAndKeepEmptyOnes) {
  std::istringstream stream("a\n\nb\r\nlast");
  Inputs inputs = Inputs::FromLines(stream, /*pairs=*/false);
  std::vector<Input> batch;
  ASSERT_TRUE(inputs.Next(3, &batch).ok());
  EXPECT_EQ(Texts(batch), (std::vector<std::string>{"a", "", "b"}));
  ASSERT_TRUE(inputs.Next(3, &batch).ok());
  EXPECT_EQ(Texts(batch), std::vector<std::string>{"last"});
  ASSERT_TRUE(inputs.Next(3, &batch).ok());
  EXPECT_TRUE(batch.empty());
}

TEST(InputsTest, PairsOfLinesNeedATab) {
  std::istringstream stream("a\tb\nno tab\n");
  Inputs inputs = Inputs::FromLines(stream, /*pairs=*/true);
  std::vector<Input> batch;
  ASSERT_TRUE(inputs.Next(1, &batch).ok());
  EXPECT_EQ(Texts(batch), std::vector<std::string>{"a|b"});
  const absl::Status status = inputs.Next(1, &batch);
  EXPECT_THAT(std::string(status.message()), HasSubstr("line 2"));
}

TEST(InputsTest, ArgumentsPairUp) {
  absl::StatusOr<Inputs> inputs =
      Inputs::FromArguments({"a", "b", "c", "d"}, /*pairs=*/true);
  ASSERT_TRUE(inputs.ok());
  std::vector<Input> batch;
  ASSERT_TRUE(inputs->Next(8, &batch).ok());
  EXPECT_EQ(Texts(batch), (std::vector<std::string>{"a|b", "c|d"}));
  EXPECT_FALSE(Inputs::FromArguments({"a", "b", "c"}, true).ok());
}

}  // namespace
}  // namespace deberta::tools
