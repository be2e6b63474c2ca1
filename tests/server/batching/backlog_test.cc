#include "server/batching/backlog.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/error_reason.h"
#include "server/base/retry_delay.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A token takes a millisecond of the machine.
const CostModel kMillisecondAToken =
    CostModel::Through(std::vector<CostModel::Sample>{{1, 0.001}});

absl::Time At(int ms) { return absl::UnixEpoch() + absl::Milliseconds(ms); }

struct Asked {
  std::string caller = "a";
  std::vector<size_t> lengths = {10};
  absl::Time deadline = absl::InfiniteFuture();
  Priority priority = Priority::kNormal;
  bool continues = false;
  size_t later_tokens = 0;
  size_t queue = 0;
};

class BacklogTest : public testing::Test {
 protected:
  static constexpr JobQueue::Limits kLimits = {.max_batch_tokens = 100,
                                               .max_queue_tokens = 100'000,
                                               .max_batch_seconds = 0.1};

  BacklogTest() { backlog_.SetCostModel(0, kMillisecondAToken); }

  absl::Status Submit(const Asked& asked, int now_ms) {
    Job job = {.sequences = {},
               .deadline = asked.deadline,
               .caller = asked.caller,
               .priority = asked.priority,
               .later_tokens = asked.later_tokens,
               .continues = asked.continues};
    for (const size_t length : asked.lengths) {
      job.sequences.push_back({.ids = std::vector<int32_t>(length, ++ids_),
                               .type_ids = std::vector<int32_t>(length),
                               .rows = {0}});
    }
    std::vector<std::shared_ptr<PendingJob>> dropped;
    return backlog_.Submit(asked.queue, job, At(now_ms), &dropped);
  }

  // The callers of the next batch's sequences, which it computes to the end.
  std::vector<std::string> Serve(int now_ms) {
    const std::optional<size_t> queue = backlog_.ReadyQueue(At(now_ms), true);
    if (!queue.has_value()) return {};
    const Batch batch = backlog_.TakeBatch(*queue, 0, At(now_ms));
    std::vector<std::string> callers;
    for (const Batch::Entry& entry : batch.entries)
      callers.push_back(entry.job->job.caller);
    backlog_.Computed(*queue, 0, At(now_ms), /*whole=*/false);
    backlog_.Answered(*queue);
    return callers;
  }

  Backlog backlog_{kLimits, 1, 1};
  int32_t ids_ = 0;
};

TEST_F(BacklogTest, TheEarlierDeadlineGoesFirst) {
  ASSERT_TRUE(Submit({.caller = "x", .deadline = At(9000)}, 0).ok());
  ASSERT_TRUE(Submit({.caller = "y", .deadline = At(5000)}, 1).ok());
  ASSERT_TRUE(Submit({.caller = "z"}, 2).ok());
  EXPECT_THAT(Serve(3), ElementsAre("y", "x", "z"));
}

TEST_F(BacklogTest, PrioritiesGoFirstAndAloneAndAge) {
  ASSERT_TRUE(Submit({.caller = "low", .priority = Priority::kLow}, 0).ok());
  ASSERT_TRUE(Submit({.caller = "normal"}, 1).ok());
  ASSERT_TRUE(Submit({.caller = "high", .priority = Priority::kHigh}, 2).ok());
  EXPECT_THAT(Serve(3), ElementsAre("high"));
  EXPECT_THAT(Serve(3), ElementsAre("normal"));
  ASSERT_TRUE(Submit({.caller = "later", .deadline = At(90'000)}, 11'000).ok());
  EXPECT_THAT(Serve(11'000), ElementsAre("later", "low"))
      << "after ten seconds low is as good as normal";
}

// A list of 500 texts does not hold up who asks for one.
TEST_F(BacklogTest, ALightCallerPassesAFlood) {
  ASSERT_TRUE(
      Submit({.caller = "flood", .lengths = std::vector<size_t>(500, 20)}, 0)
          .ok());
  EXPECT_THAT(Serve(0),
              ElementsAre("flood", "flood", "flood", "flood", "flood"));
  ASSERT_TRUE(Submit({.caller = "light"}, 1).ok());
  EXPECT_EQ(Serve(1).front(), "light");
}

// What waits for long because its caller asks too much is not urgent for that.
TEST_F(BacklogTest, AFloodDoesNotAge) {
  ASSERT_TRUE(
      Submit({.caller = "flood", .lengths = std::vector<size_t>(500, 100)}, 0)
          .ok());
  for (int second = 0; second <= 20; ++second) Serve(second * 1000);
  ASSERT_TRUE(Submit({.caller = "light"}, 20'001).ok());
  EXPECT_EQ(Serve(20'001).front(), "light");
}

TEST_F(BacklogTest, TwoFloodsShareByCostNotByCount) {
  ASSERT_TRUE(
      Submit({.caller = "long", .lengths = std::vector<size_t>(50, 50)}, 0)
          .ok());
  ASSERT_TRUE(
      Submit({.caller = "short", .lengths = std::vector<size_t>(250, 10)}, 0)
          .ok());
  size_t long_ones = 0;
  size_t short_ones = 0;
  for (int batch = 0; batch < 10; ++batch) {
    for (const std::string& caller : Serve(0))
      ++(caller == "long" ? long_ones : short_ones);
  }
  EXPECT_NEAR(static_cast<double>(long_ones) * 50,
              static_cast<double>(short_ones) * 10, 60);
}

// Queues are one machine: a flood of one model is no more than a share of it.
TEST_F(BacklogTest, AFloodOfOneModelDoesNotHoldUpAnother) {
  const size_t other = backlog_.AddQueue();
  backlog_.SetCostModel(other, kMillisecondAToken);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Submit({.caller = "flood", .lengths = {100}}, 0).ok());
  }
  Serve(0);
  ASSERT_TRUE(Submit({.caller = "light", .queue = other}, 5).ok());
  EXPECT_THAT(Serve(5), ElementsAre("light"));
}

TEST_F(BacklogTest, WhatWouldBeLateIsRefusedWithADelay) {
  ASSERT_TRUE(Submit({.lengths = {400}, .deadline = At(1000)}, 0).ok());
  const absl::Status late = Submit({.lengths = {500}, .deadline = At(1000)}, 0);
  EXPECT_TRUE(absl::IsResourceExhausted(late)) << late;
  EXPECT_EQ(ReasonOf(late), kLateReason);
  // 1.25 * (400 + 500) ms, of which 1000 are left.
  EXPECT_EQ(RetryDelayOf(late), absl::Milliseconds(125));
  EXPECT_THAT(std::string(late.message()), HasSubstr("900 ms"));
  EXPECT_TRUE(Submit({.lengths = {300}, .deadline = At(1000)}, 0).ok());
}

// The whole call counts, not its first round alone.
TEST_F(BacklogTest, LaterRoundsCount) {
  ASSERT_TRUE(Submit({.lengths = {10}}, 0).ok());
  const Asked asked = {.lengths = {100}, .deadline = At(1000)};
  Asked with_more = asked;
  with_more.later_tokens = 900;
  EXPECT_TRUE(absl::IsResourceExhausted(Submit(with_more, 0)));
  EXPECT_TRUE(Submit(asked, 0).ok());
  with_more.continues = true;
  EXPECT_TRUE(Submit(with_more, 0).ok()) << "it was accepted before";
}

// A batch that runs, and what goes first, count; what comes after does not.
TEST_F(BacklogTest, PredictsByTheOrder) {
  ASSERT_TRUE(Submit({.lengths = {900}}, 0).ok());
  backlog_.TakeBatch(0, 0, At(0));
  EXPECT_FALSE(Submit({.lengths = {100}, .deadline = At(1000)}, 0).ok());
  EXPECT_TRUE(Submit({.lengths = {100}, .deadline = At(1500)}, 500).ok());
  ASSERT_TRUE(
      Submit({.caller = "flood", .lengths = std::vector<size_t>(50, 100)}, 500)
          .ok());
  EXPECT_TRUE(
      Submit({.caller = "b", .lengths = {100}, .deadline = At(2000)}, 500).ok())
      << "a flood of another caller has no more than its share";
  EXPECT_FALSE(Submit({.caller = "flood",
                       .lengths = {100},
                       .deadline = At(2000),
                       .priority = Priority::kLow},
                      500)
                   .ok());
}

// Nobody is refused for a prediction that nothing else can correct.
TEST_F(BacklogTest, AnIdleMachineTriesButNotTheImpossible) {
  EXPECT_TRUE(Submit({.lengths = {150}, .deadline = At(100)}, 0).ok());
  Serve(0);
  const absl::Status never = Submit({.lengths = {500}, .deadline = At(100)}, 0);
  EXPECT_TRUE(absl::IsDeadlineExceeded(never)) << never;
  EXPECT_EQ(RetryDelayOf(never), std::nullopt);
}

TEST_F(BacklogTest, WhatHasBecomeHopelessIsDropped) {
  ASSERT_TRUE(Submit({.lengths = {90}, .deadline = At(1000)}, 0).ok());
  const Batch batch = backlog_.TakeBatch(0, 0, At(950));
  EXPECT_THAT(batch.entries, testing::IsEmpty());
  ASSERT_THAT(batch.dropped, testing::SizeIs(1));
  EXPECT_TRUE(absl::IsDeadlineExceeded(batch.dropped[0]->status));
}

// A flood fills what it may of the queue, and there is room for others.
TEST_F(BacklogTest, ACallerLeavesRoomForOthers) {
  int accepted = 0;
  while (Submit({.caller = "flood", .lengths = {1000}}, 0).ok()) ++accepted;
  EXPECT_EQ(accepted, 88) << "eight ninths of a hundred thousand";
  const absl::Status full = Submit({.caller = "flood", .lengths = {1000}}, 0);
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_EQ(ReasonOf(full), "") << "as of any full queue";
  EXPECT_EQ(RetryDelayOf(full), absl::Seconds(30)) << "of 88";
  EXPECT_TRUE(Submit({.caller = "light", .lengths = {1000}}, 0).ok());
  EXPECT_TRUE(Submit({.caller = "another", .lengths = {1000}}, 0).ok());
}

// What is surely refused is known before its tokens are.
TEST_F(BacklogTest, ChecksBeforeTokensAreKnown) {
  const Asking asking = {.caller = "a", .deadline = At(1000)};
  EXPECT_TRUE(backlog_.Check(0, asking, At(0)).ok());
  ASSERT_TRUE(Submit({.lengths = {900}, .deadline = At(1000)}, 0).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(backlog_.Check(
      0, {.caller = "a", .deadline = At(1000), .tokens = 100}, At(0))));
  Serve(0);
  EXPECT_TRUE(backlog_.Check(0, asking, At(0)).ok());
}

TEST_F(BacklogTest, BatchesAreBoundedInTime) {
  const size_t slow = backlog_.AddQueue();
  backlog_.SetCostModel(
      slow, CostModel::Through(std::vector<CostModel::Sample>{{1, 0.01}}));
  ASSERT_TRUE(Submit({.lengths = {4, 4, 4, 30, 1}, .queue = slow}, 0).ok());
  EXPECT_THAT(Serve(0), testing::SizeIs(2));
  EXPECT_THAT(Serve(0), testing::SizeIs(1));
  EXPECT_THAT(Serve(0), testing::SizeIs(1)) << "a longer one alone";
}

}  // namespace
}  // namespace deberta::server
