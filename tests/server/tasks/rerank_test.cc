#include "server/tasks/rerank.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/tasks/classify.h"
#include "tests/server/tasks/results_fixture.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::SizeIs;

class RerankTest : public ResultsTest {
 protected:
  RerankTest() { model_.labels = {labels_.data(), 1}; }

  std::string Blamed(RerankRequest request) {
    return InputErrorField(
        RerankTask::Create(std::move(request), model_).status());
  }

  static std::vector<SequenceOutput> Outputs(const std::vector<float>& logits) {
    std::vector<SequenceOutput> outputs;
    for (const float logit : logits) {
      outputs.push_back({.values = {logit}, .width = 1});
    }
    return outputs;
  }

  static std::vector<uint32_t> Order(const std::vector<RerankResult>& results) {
    std::vector<uint32_t> order;
    for (const RerankResult& result : results) order.push_back(result.index);
    return order;
  }
};

TEST_F(RerankTest, OrdersByScoreAndThenByIndex) {
  RerankRequest request = {.query = "a", .documents = {"b", "c", "d", "e"}};
  auto task = Created<RerankTask>(request);
  ASSERT_THAT(task.sequences(), SizeIs(4));
  // A sigmoid makes one score of 30 and 40.
  auto results = task.Finish(Outputs({1, 30, 1, 40}));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT(Order(*results), ElementsAre(3, 1, 0, 2));
  EXPECT_THAT((*results)[2].score, FloatEq(0.7310586f));

  request.raw_scores = true;
  request.top_k = 2;
  results = Created<RerankTask>(request).Finish(Outputs({1, 30, 1, 40}));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT(Order(*results), ElementsAre(3, 1));
  EXPECT_EQ((*results)[0].score, 40);
}

TEST_F(RerankTest, ScoresOfARegressionAreItsLogits) {
  config_.problem_type = model::ProblemType::kRegression;
  const auto results = Created<RerankTask>({.query = "a", .documents = {"b"}})
                           .Finish(Outputs({3}));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].score, 3);
}

TEST_F(RerankTest, ADocumentHasItsBestWindow) {
  auto task = Created<RerankTask>({.query = "!",
                                   .documents = {"!\"#$%&'(", "!"},
                                   .raw_scores = true,
                                   .length_policy = LengthPolicy::kWindow});
  const size_t windows = task.coverage()[0].windows;
  ASSERT_GT(windows, 1u);
  std::vector<float> logits(windows + 1, -1);
  logits[1] = 5;
  logits.back() = 2;
  const auto results = task.Finish(Outputs(logits));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT(Order(*results), ElementsAre(0, 1));
  EXPECT_EQ((*results)[0].score, 5);
  EXPECT_EQ((*results)[0].coverage.windows, windows);
}

TEST_F(RerankTest, ReadsTheQueryBeforeEachDocument) {
  auto task = Created<RerankTask>({.query = "a", .documents = {"b"}});
  const auto expected =
      Created<ClassifyTask>({.inputs = {{.text = "a", .text_pair = "b"}}});
  EXPECT_EQ(task.sequences()[0].ids, expected.sequences()[0].ids);
  EXPECT_EQ(task.sequences()[0].type_ids, expected.sequences()[0].type_ids);
}

TEST_F(RerankTest, RefusesBadRequestsByField) {
  EXPECT_EQ(Blamed({.query = "a", .documents = {"b"}}), "");
  EXPECT_EQ(Blamed({.query = "", .documents = {"b"}}), "query");
  EXPECT_EQ(Blamed({.query = "a", .documents = {}}), "documents");
  EXPECT_EQ(Blamed({.query = "a", .documents = {"b", ""}}), "documents[1]");
  EXPECT_EQ(Blamed({.query = "a", .documents = {"b", "\xff"}}), "documents[1]");
  EXPECT_EQ(Blamed({.query = "a", .documents = {"b"}, .top_k = -1}), "top_k");
  EXPECT_EQ(Blamed({.query = "a", .documents = {"b"}, .stride = -1}), "stride");
  EXPECT_EQ(Blamed({.query = "a", .documents = {"b", "!\"#$%&'("}}),
            "documents[1]");
}

TEST_F(RerankTest, NeedsOneLabel) {
  model_.labels = labels_;
  EXPECT_TRUE(absl::IsFailedPrecondition(
      RerankTask::Create({.query = "a", .documents = {"b"}}, model_).status()));
}

}  // namespace
}  // namespace deberta::server
