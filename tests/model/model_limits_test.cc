// What models take and refuse, and what they say of themselves.

#include <cstdint>
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/model.h"
#include "tests/model/golden_model.h"
#include "tests/model/loaded_golden.h"

namespace deberta::model {
namespace {

using testing::HasSubstr;

TEST(ModelTest, SaysWhoseProductsItComputes) {
  const auto said = [](Precision precision, Products products) {
    return LoadModel("v3_classify", precision, products)->products();
  };
  EXPECT_EQ(said(Precision::kFp32, Products::kOwn), "fp32 own");
  EXPECT_EQ(said(Precision::kFp32, Products::kOneDnn), "fp32 onednn");
  EXPECT_EQ(said(Precision::kInt8, Products::kOneDnn),
            "fp32 onednn, int8 onednn");
}

TEST(ModelTest, TakesSequencesUpToTheLongest) {
  const auto model = LoadModel("v2_few_odd_buckets_tag");
  ASSERT_NE(model, nullptr);
  Workspace workspace(1);
  BatchOutput output;
  RaggedBatch batch;
  batch.ids.assign(model->longest_sequence(), 5);
  batch.starts = {0, static_cast<uint32_t>(batch.ids.size())};
  EXPECT_TRUE(model->Forward(batch, workspace, &output).ok());
  batch.ids.push_back(5);
  batch.starts = {0, static_cast<uint32_t>(batch.ids.size())};
  EXPECT_FALSE(model->Forward(batch, workspace, &output).ok());
}

// Row counts fall into few buckets and buffers only grow to the largest batch,
// so that memory stays flat whatever lengths arrive.
TEST(ModelTest, BuffersStayWithinTheLargestBatch) {
  const auto model = LoadModel("v3_classify");
  ASSERT_NE(model, nullptr);
  std::mt19937 random(11);
  Workspace workspace(2);
  BatchOutput output;
  const auto run = [&](size_t sequences, size_t length) {
    BatchBuilder builder(model->head());
    for (size_t s = 0; s < sequences; ++s) {
      const auto ids = RandomIds(length, model->config().vocab_size, random);
      builder.Add(ids, ids);
    }
    ASSERT_TRUE(model->Forward(builder.batch(), workspace, &output).ok());
  };
  run(1, 400);
  run(40, 10);
  run(7, 57);
  // Either thread may have met the longest sequence only now.
  const size_t settled = 2 * workspace.bytes();
  for (int i = 0; i < 200; ++i) {
    const size_t sequences = 1 + random() % 8;
    run(sequences, 1 + random() % (400 / sequences));
  }
  EXPECT_LE(workspace.bytes(), settled);
}

TEST(ModelTest, RefusesBatchesThatMakeNoSense) {
  const auto model = LoadModel("v1_absolute_fill");
  ASSERT_NE(model, nullptr);
  Workspace workspace(1);
  BatchOutput output;
  RaggedBatch good;
  good.ids = {1, 2, 3};
  good.type_ids = {0, 1, 0};
  good.starts = {0, 1, 3};
  ASSERT_TRUE(model->Forward(good, workspace, &output).ok());
  const auto refusal = [&](auto change) {
    RaggedBatch batch = good;
    change(batch);
    const absl::Status status = model->Forward(batch, workspace, &output);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(refusal([](RaggedBatch& b) { b.ids[1] = 120; }),
              HasSubstr("id of token 1: expected 0 to 119, got 120"));
  EXPECT_THAT(refusal([](RaggedBatch& b) { b.ids[2] = -1; }),
              HasSubstr("got -1"));
  EXPECT_THAT(refusal([](RaggedBatch& b) { b.type_ids[0] = 2; }),
              HasSubstr("type id of token 0"));
  EXPECT_THAT(refusal([](RaggedBatch& b) { b.type_ids.pop_back(); }),
              HasSubstr("expected 3 type ids, got 2"));
  EXPECT_THAT(refusal([](RaggedBatch& b) {
                b.starts = {0, 1, 1, 3};
              }),
              HasSubstr("sequence 1 is empty"));
  EXPECT_THAT(refusal([](RaggedBatch& b) {
                b.starts = {0, 1};
              }),
              HasSubstr("cover"));
  EXPECT_THAT(refusal([](RaggedBatch& b) {
                b.starts = {0, 5, 3};
              }),
              HasSubstr("sequence"));
  EXPECT_THAT(refusal([](RaggedBatch& b) { b.starts = {}; }),
              HasSubstr("cover"));
  EXPECT_THAT(refusal([](RaggedBatch& b) { b.logit_rows = {3}; }),
              HasSubstr("row 3"));
  EXPECT_THAT(refusal([](RaggedBatch& b) { b.hidden_rows = {9}; }),
              HasSubstr("row 9"));
  EXPECT_THAT(refusal([](RaggedBatch& b) {
                b.ids.assign(25, 1);
                b.type_ids.assign(25, 0);
                b.starts = {0, 25};
              }),
              HasSubstr("25 tokens; the model takes at most 24"));
}

TEST(ModelTest, NamesTheColumnsOfItsLogits) {
  EXPECT_THAT(LoadModel("v3_discriminator")->labels(),
              testing::ElementsAre("ORIGINAL", "REPLACED"));
  EXPECT_THAT(LoadModel("v1_classify")->labels(),
              testing::ElementsAre("negative", "neutral", "positive"));
  EXPECT_THAT(LoadModel("v3_answer")->labels(), testing::IsEmpty());
}

// Five buckets tell offsets apart up to 2 * (23 / 2)^2: farther than a table is
// made to reach.
TEST(ModelTest, BoundsSequencesByTheReachOfOddBuckets) {
  const auto model = LoadModel("v2_few_odd_buckets_tag");
  ASSERT_NE(model, nullptr);
  const size_t longest = 8 * 24 + 1;
  RaggedBatch batch;
  batch.ids.assign(longest, 1);
  batch.starts = {0, static_cast<uint32_t>(longest)};
  batch.logit_rows = {0};
  Workspace workspace(1);
  BatchOutput output;
  EXPECT_TRUE(model->Forward(batch, workspace, &output).ok());
  batch.ids.push_back(1);
  ++batch.starts[1];
  EXPECT_THAT(std::string(model->Forward(batch, workspace, &output).message()),
              HasSubstr("194 tokens; the model takes at most 193"));
}

TEST(ModelTest, RefusesLogitsWithoutAHead) {
  const auto model = LoadModel("v1_no_relative");
  ASSERT_NE(model, nullptr);
  Workspace workspace(1);
  BatchOutput output;
  RaggedBatch batch;
  batch.ids = {1};
  batch.starts = {0, 1};
  batch.logit_rows = {0};
  const absl::Status status = model->Forward(batch, workspace, &output);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(ModelTest, ReportsProgressUpToTheLastTensor) {
  std::vector<LoadProgress> seen;
  const auto model = Model::Load(
      GoldenModel("v3_classify"),
      {.observer = [&](const LoadProgress& p) { seen.push_back(p); }});
  ASSERT_TRUE(model.ok()) << model.status();
  ASSERT_FALSE(seen.empty());
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].tensors_done, i + 1);
    EXPECT_EQ(seen[i].tensors_total, seen.size());
  }
  EXPECT_EQ(seen.back().bytes_done, seen.back().bytes_total);
}

TEST(ModelTest, NamesTheMissingDirectory) {
  const auto model = Model::Load("/nonexistent/model", {});
  EXPECT_THAT(std::string(model.status().message()),
              HasSubstr("/nonexistent/model"));
}

}  // namespace
}  // namespace deberta::model
