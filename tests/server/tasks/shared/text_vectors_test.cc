#include "server/tasks/shared/text_vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace deberta::server {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

// Three tokens of two numbers.
const std::vector<float> kStates = {1, -2, 3, 4, 5, 7};

TEST(TextVectorsTest, PoolsAsEachNameSays) {
  const auto pooled = [](TextPooling pooling) {
    return Pool(kStates, 2, pooling);
  };
  EXPECT_THAT(pooled(TextPooling::kCls), ElementsAre(1, -2));
  EXPECT_THAT(pooled(TextPooling::kLast), ElementsAre(5, 7));
  EXPECT_THAT(pooled(TextPooling::kMax), ElementsAre(5, 7));
  EXPECT_THAT(pooled(TextPooling::kMean), ElementsAre(3, 3));
  EXPECT_THAT(pooled(TextPooling::kMeanSqrtLength),
              ElementsAre(FloatNear(9 / std::sqrt(3.0f), 1e-6f),
                          FloatNear(9 / std::sqrt(3.0f), 1e-6f)));
  EXPECT_THAT(
      pooled(TextPooling::kWeightedMean),
      ElementsAre(FloatNear(22 / 6.0f, 1e-6f), FloatNear(27 / 6.0f, 1e-6f)));
}

TEST(TextVectorsTest, LayersFollowInTheirOrder) {
  TextVectors vectors = {.poolings = {TextPooling::kCls, TextPooling::kLast}};
  EXPECT_EQ(vectors.width(2), 4u);
  EXPECT_THAT(TextVector(vectors, kStates, 2), ElementsAre(1, -2, 5, 7));
  vectors.layers.push_back({.kind = VectorLayer::Kind::kDense,
                            .in = 4,
                            .out = 2,
                            .weight = {1, 0, 0, 0, 0, 1, 0, 1},
                            .bias = {2, -1},
                            .activation = model::Activation::kRelu});
  EXPECT_THAT(TextVector(vectors, kStates, 2), ElementsAre(3, 4));
  vectors.layers.push_back({.kind = VectorLayer::Kind::kNormalize});
  EXPECT_EQ(vectors.width(2), 2u);
  EXPECT_THAT(TextVector(vectors, kStates, 2),
              ElementsAre(FloatNear(0.6f, 1e-6f), FloatNear(0.8f, 1e-6f)));
}

}  // namespace
}  // namespace deberta::server
