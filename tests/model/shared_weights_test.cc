// Models that put other heads on one backbone hold it once.

#include "model/shared_weights.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "model/model.h"
#include "tests/model/golden_model.h"
#include "tests/model/weights/edited_model.h"

namespace deberta::model {
namespace {

std::shared_ptr<const FloatBuffer> Buffer(size_t floats, float last) {
  auto buffer = std::make_shared<FloatBuffer>();
  float* values = buffer->Reserve(floats);
  values[floats - 1] = last;
  return buffer;
}

TEST(SharedWeightsTest, GivesABufferOfTheSameContentsWhileItIsInUse) {
  SharedWeights shared;
  const auto first = shared.Share(Buffer(5000, 1));
  EXPECT_EQ(shared.Share(Buffer(5000, 1)), first);
  // Alike in what the key is made of.
  auto other = shared.Share(Buffer(5000, 2));
  EXPECT_NE(other, first);
  EXPECT_NE(shared.Share(Buffer(5001, 1)), first);
  other = nullptr;
  const auto again = Buffer(5000, 2);
  EXPECT_EQ(shared.Share(again), again);
}

std::vector<float> Logits(const Model& model) {
  BatchBuilder builder(model.head());
  const std::vector<int32_t> ids = {1, 5, 7, 2};
  builder.Add(ids, std::vector<int32_t>(ids.size()));
  Workspace workspace(1);
  BatchOutput output;
  EXPECT_TRUE(model.Forward(builder.batch(), workspace, &output).ok());
  return output.logits;
}

class SharedBackboneTest : public testing::Test {
 protected:
  SharedBackboneTest() : other_("v3_classify") {
    TensorView& weight = other_.tensors.at("classifier.weight");
    values_ = ReadFloats(weight);
    std::ranges::reverse(values_);
    weight.dtype = DType::kF32;
    weight.bytes = std::as_bytes(std::span(values_));
    EXPECT_TRUE(other_.Bind().ok());
  }

  static std::unique_ptr<const Model> Load(
      const std::string& directory, SharedWeights* shared,
      Precision precision = Precision::kFp32) {
    auto model = Model::Load(
        directory, {.precision = precision, .shared_weights = shared});
    EXPECT_TRUE(model.ok()) << model.status();
    return *std::move(model);
  }

  const std::string golden_ = GoldenModel("v3_classify");
  std::string other() const { return other_.checkpoint().directory(); }

  SharedWeights shared_;

 private:
  EditedModel other_;
  std::vector<float> values_;
};

TEST_F(SharedBackboneTest, IsHeldOnceAndChangesNoAnswer) {
  const std::vector<float> logits = Logits(*Load(golden_, nullptr));
  const std::vector<float> other_logits = Logits(*Load(other(), nullptr));
  ASSERT_NE(logits, other_logits);
  auto model = Load(golden_, &shared_);
  EXPECT_EQ(model->shared_bytes(), 0u);
  const auto second = Load(other(), &shared_);
  // All but tables, norms and the head; in a model this small each bias has a
  // page of its own.
  EXPECT_GT(second->shared_bytes(), second->resident_bytes() / 3);
  EXPECT_LT(second->shared_bytes(), second->resident_bytes());
  EXPECT_EQ(Logits(*model), logits);
  EXPECT_EQ(Logits(*second), other_logits);
  model = nullptr;
  EXPECT_EQ(Logits(*second), other_logits);
  model = Load(golden_, &shared_);
  EXPECT_EQ(model->shared_bytes(), second->shared_bytes());
  EXPECT_EQ(Logits(*model), logits);
}

TEST_F(SharedBackboneTest, OfAnotherPrecisionHasItsWordsAlone) {
  const auto model = Load(golden_, &shared_);
  const auto rounded = Load(other(), &shared_, Precision::kInt8);
  const auto checkpoint = Checkpoint::Open(golden_, {});
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const auto weights = BindWeights(**checkpoint, std::nullopt);
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_GE(rounded->shared_bytes(), weights->word_embeddings->bytes.size());
  EXPECT_LT(rounded->shared_bytes(), model->resident_bytes() / 2);
}

}  // namespace
}  // namespace deberta::model
