#include "model/enhanced_mask_decoder.h"

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/model.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/golden_model.h"

namespace deberta::model {
namespace {

using testing::HasSubstr;

std::unique_ptr<const Model> LoadModel(
    const std::string& name,
    std::optional<FillMaskDecoder> decoder = std::nullopt) {
  auto model = Model::Load(GoldenModel(name), {.fill_mask = decoder});
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

RaggedBatch OneSequence(size_t length) {
  RaggedBatch batch;
  for (size_t t = 0; t < length; ++t) {
    batch.ids.push_back(static_cast<int32_t>(t + 1));
  }
  batch.starts.push_back(static_cast<uint32_t>(length));
  return batch;
}

// The decoder runs the last layer with other queries, in the same buffers.
TEST(EnhancedMaskDecoderTest, LeavesHiddenStatesAlone) {
  const auto enhanced = LoadModel("v3_pretrained_fill");
  const auto plain = LoadModel("v3_pretrained_fill", FillMaskDecoder::kPlain);
  ASSERT_NE(enhanced, nullptr);
  ASSERT_NE(plain, nullptr);
  EXPECT_EQ(enhanced->fill_mask_decoder(), FillMaskDecoder::kEnhanced);
  EXPECT_EQ(plain->fill_mask_decoder(), FillMaskDecoder::kPlain);
  RaggedBatch batch = OneSequence(20);
  batch.logit_rows = {3, 7};
  for (uint32_t row = 0; row < 20; ++row) batch.hidden_rows.push_back(row);
  Workspace workspace(2);
  BatchOutput with;
  BatchOutput without;
  ASSERT_TRUE(enhanced->Forward(batch, workspace, &with).ok());
  ASSERT_TRUE(plain->Forward(batch, workspace, &without).ok());
  EXPECT_EQ(DifferenceOfScale(with.hidden, without.hidden), 0);
  EXPECT_GT(DifferenceOfScale(with.logits, without.logits), 0.01);
}

TEST(EnhancedMaskDecoderTest, RowsDoNotDependOnEachOther) {
  const auto model = LoadModel("v1_enhanced_fill");
  ASSERT_NE(model, nullptr);
  RaggedBatch batch = OneSequence(24);
  for (uint32_t row = 0; row < 24; ++row) batch.logit_rows.push_back(row);
  Workspace workspace(2);
  BatchOutput every;
  ASSERT_TRUE(model->Forward(batch, workspace, &every).ok());
  for (uint32_t row = 0; row < 24; ++row) {
    batch.logit_rows = {row, row};
    BatchOutput one;
    ASSERT_TRUE(model->Forward(batch, workspace, &one).ok());
    const std::span<const float> expected(
        every.logits.data() + row * one.logit_width, one.logit_width);
    for (const size_t copy : {size_t{0}, size_t{1}}) {
      EXPECT_EQ(DifferenceOfScale(
                    std::span(one.logits.data() + copy * one.logit_width,
                              one.logit_width),
                    expected),
                0)
          << row;
    }
  }
}

TEST(EnhancedMaskDecoderTest, RefusesToDecodeBeyondItsPositions) {
  const auto model = LoadModel("v3_pretrained_fill");
  ASSERT_NE(model, nullptr);
  RaggedBatch batch = OneSequence(3);
  for (int32_t t = 0; t < 25; ++t) batch.ids.push_back(t);
  batch.starts.push_back(28);
  Workspace workspace(1);
  BatchOutput output;
  batch.logit_rows = {1};
  batch.hidden_rows = {27};
  EXPECT_TRUE(model->Forward(batch, workspace, &output).ok());
  batch.logit_rows = {1, 3};
  const absl::Status status = model->Forward(batch, workspace, &output);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("sequence 1 has 25 tokens; the enhanced mask decoder "
                        "has positions for 24"));
}

}  // namespace
}  // namespace deberta::model
