#include "model/layers/relative_position.h"

#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace deberta::model {
namespace {

using Buckets = std::vector<std::pair<int64_t, int64_t>>;

// Values seen in the reference implementation.
TEST(RelativePositionTest, BucketsOfReleasedModels) {
  const RelativePosition positions(512, 256);
  for (const auto& [offset, bucket] : Buckets{{0, 0},
                                              {1, 1},
                                              {127, 127},
                                              {128, 128},
                                              {129, 129},
                                              {131, 131},
                                              {132, 131},
                                              {140, 137},
                                              {150, 143},
                                              {200, 169},
                                              {256, 192},
                                              {300, 207},
                                              {400, 233},
                                              {500, 254},
                                              {510, 255},
                                              {511, 255},
                                              {512, 256},
                                              {600, 270},
                                              {1000, 317}}) {
    EXPECT_EQ(positions.Bucket(offset), bucket) << offset;
    EXPECT_EQ(positions.Bucket(-offset), -bucket) << offset;
  }
  EXPECT_EQ(positions.span(), 256);
  EXPECT_EQ(positions.Row(0), 256);
  EXPECT_EQ(positions.Row(1000), 511);
  EXPECT_EQ(positions.Row(-511), 1);
  EXPECT_EQ(positions.Row(-512), 0);
}

TEST(RelativePositionTest, FewBuckets) {
  const RelativePosition positions(64, 16);
  for (const auto& [offset, bucket] : Buckets{{8, 8},
                                              {9, 9},
                                              {10, 9},
                                              {12, 10},
                                              {16, 11},
                                              {20, 12},
                                              {32, 13},
                                              {48, 15},
                                              {63, 15},
                                              {64, 16},
                                              {100, 17}}) {
    EXPECT_EQ(positions.Bucket(offset), bucket) << offset;
    EXPECT_EQ(positions.Bucket(-offset), -bucket) << offset;
  }
}

TEST(RelativePositionTest, LinearOffsetsClamp) {
  const RelativePosition positions(16, -1);
  EXPECT_EQ(positions.Row(0), 16);
  EXPECT_EQ(positions.Row(15), 31);
  EXPECT_EQ(positions.Row(16), 31);
  EXPECT_EQ(positions.Row(-16), 0);
  EXPECT_EQ(positions.Row(-17), 0);
}

TEST(RelativePositionTest, NothingChangesBeyondSaturation) {
  for (const auto& [r, buckets] :
       std::vector<std::pair<int64_t, int64_t>>{{512, 256},
                                                {64, 16},
                                                {24, 8},
                                                {24, 7},
                                                {20, 6},
                                                {16, -1},
                                                {1, -1},
                                                {12, 2},
                                                {40, 3}}) {
    const RelativePosition positions(r, buckets);
    const auto [reach, saturated] = positions.FindReach();
    EXPECT_TRUE(saturated);
    for (int64_t offset = reach; offset < reach + 3000; ++offset) {
      EXPECT_EQ(positions.Row(offset), positions.Row(reach));
      EXPECT_EQ(positions.Row(-offset), positions.Row(-reach));
    }
  }
  EXPECT_EQ(RelativePosition(512, 256).FindReach().offset, 512);
  EXPECT_EQ(RelativePosition(512, -1).FindReach().offset, 512);
}

TEST(RelativePositionTest, BoundsTheReachOfBucketsThatGoOnTooFar) {
  EXPECT_FALSE(RelativePosition(512, 5).FindReach().saturated);
  EXPECT_EQ(RelativePosition(512, 5).FindReach().offset, 8 * 512);
  Config config;
  config.family = Family::kDebertaV2;
  config.max_relative_positions = 40;
  config.position_buckets = 5;
  config.max_position_embeddings = 400;
  EXPECT_EQ(RelativePosition(config).FindReach().offset, 400);
}

// A tiny file could claim tables of any size.
TEST(RelativePositionTest, BoundsWhatAConfigurationClaims) {
  EXPECT_EQ(RelativePosition(1 << 20, 4).FindReach().offset, 1 << 14);
  EXPECT_FALSE(RelativePosition(1 << 20, 4).FindReach().saturated);
  // Here the rows are in the file.
  EXPECT_EQ(RelativePosition(1 << 15, -1).FindReach().offset, 1 << 15);
  EXPECT_TRUE(RelativePosition(1 << 15, -1).FindReach().saturated);
}

}  // namespace
}  // namespace deberta::model
