#include "gtest/gtest.h"
#include "model/weights/head_weights.h"

namespace deberta::model {
namespace {

TEST(RowCostTest, ComparesTheHeadsMatricesWithTheEncoders) {
  Config config;  // of v3-base
  config.hidden_size = 768;
  config.num_hidden_layers = 12;
  config.intermediate_size = 3072;
  EXPECT_EQ(RowCost({}, config), 0);
  const TensorView square = {.shape = {768, 768}, .bytes = {}};
  const TensorView words = {.shape = {128100, 768}, .bytes = {}};
  const TensorView labels = {.shape = {3, 768}, .bytes = {}};
  const TensorView bias = {.shape = {128100}, .bytes = {}};
  HeadWeights masks;
  masks.dense = {.weight = &square, .bias = &bias};
  masks.decoder_weight = &words;
  masks.decoder_bias = &bias;
  EXPECT_NEAR(RowCost(masks, config), 1.165, 0.001);
  HeadWeights classifier;
  classifier.pooler.weight = &square;
  classifier.classifier.weight = &labels;
  EXPECT_NEAR(RowCost(classifier, config), 1.0 / 144, 1e-4);
}

}  // namespace
}  // namespace deberta::model
