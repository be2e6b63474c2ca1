#include "tokenizer/special_tokens/special_token_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/segmentation/byte_level_bpe.h"
#include "tokenizer/special_tokens/added_tokens.h"

namespace deberta::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SpecialTokenIdsTest : public ::testing::Test {
 protected:
  absl::StatusOr<SpecialTokenIds> Resolve(const SpecialTokenNames& names,
                                          const Template* single = nullptr) {
    return ResolveSpecialTokenIds(names, single, *added_, *model_);
  }

  const std::unique_ptr<ByteLevelBpe> model_ = *ByteLevelBpe::Create(
      {.vocabulary = {{"[CLS]", 0}, {"[SEP]", 1}, {"<s>", 2}, {"[MASK]", 3}}});
  const std::vector<AddedToken> tokens_ = {{.id = 4, .content = "<mask>"},
                                           {.id = 5, .content = "<extra>"}};
  const std::unique_ptr<const AddedTokens> added_ =
      *AddedTokens::Create(tokens_, *model_);
};

TEST_F(SpecialTokenIdsTest, FollowsTheNamesOfTheDirectory) {
  SpecialTokenNames names;
  names.cls = "<s>";
  names.mask = "<mask>";
  names.pad = "<nowhere>";
  const auto ids = Resolve(names);
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_EQ(ids->cls, 2);
  EXPECT_EQ(ids->sep, 1);
  EXPECT_EQ(ids->mask, 4);  // not that of [MASK], which is a token too
  EXPECT_EQ(ids->pad, std::nullopt);
  EXPECT_EQ(ids->unk, std::nullopt);
}

TEST_F(SpecialTokenIdsTest, TakesTheTemplatesEndsForWhatIsNotNamed) {
  const Template single = {{.ids = {7, 8}}, {.sequence = 0}, {.ids = {9}}};
  const auto ids = Resolve({}, &single);
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_EQ(ids->cls, 7);
  EXPECT_EQ(ids->sep, 9);
  EXPECT_EQ(ids->mask, std::nullopt);
}

TEST_F(SpecialTokenIdsTest, ListsAllOnceAndNoneThatIsNoToken) {
  SpecialTokenNames names;
  names.named = {"[CLS]", "<nowhere>", "<mask>", "[CLS]"};
  names.additional = {"<extra>", "<mask>"};
  EXPECT_THAT(AllSpecialTokenIds(names, *added_, *model_),
              ElementsAre(0, 4, 5));
}

TEST_F(SpecialTokenIdsTest, NamesTheTokenThatIsMissing) {
  const auto id = RequireTokenId("[NONE]", *added_, *model_);
  EXPECT_EQ(id.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(id.status().message()), HasSubstr("[NONE]"));
}

}  // namespace
}  // namespace deberta::tokenizer
