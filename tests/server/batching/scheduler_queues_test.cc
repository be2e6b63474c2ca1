// Queues that come and go while others are computed.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/batching/scheduler.h"
#include "tests/server/batching/stand_in_model.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;

TEST(SchedulerQueuesTest, AQueueIsAddedBesideOthers) {
  Scheduler scheduler({}, 1, TenTimesId, IgnoreReport);
  EXPECT_EQ(scheduler.AddQueue(), 1u);
  EXPECT_EQ(scheduler.AddQueue(), 2u);
  Answer first, added;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, first.Callback())).ok());
  ASSERT_TRUE(scheduler.Submit(2, JobWith({{2}}, added.Callback())).ok());
  EXPECT_THAT(first.Wait()->sequences[0].values, ElementsAre(10));
  EXPECT_THAT(added.Wait()->sequences[0].values, ElementsAre(20));
}

TEST(SchedulerQueuesTest, ASchedulerMayStartWithoutQueues) {
  Scheduler scheduler({}, 0, TenTimesId, IgnoreReport);
  const size_t queue = scheduler.AddQueue();
  Answer answer;
  ASSERT_TRUE(scheduler.Submit(queue, JobWith({{3}}, answer.Callback())).ok());
  EXPECT_TRUE(answer.Wait().ok());
}

TEST(SchedulerQueuesTest, WhatWaitsInARemovedQueueIsComputed) {
  Gate gate;
  Scheduler scheduler({}, 2, gate.Wrap(), IgnoreReport);
  Answer running, waiting, other;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, running.Callback())).ok());
  gate.WaitUntilEntered();
  ASSERT_TRUE(scheduler.Submit(1, JobWith({{2}}, waiting.Callback())).ok());
  scheduler.RemoveQueue(1);
  EXPECT_EQ(scheduler.queued_tokens(1), 1u);
  const size_t next = scheduler.AddQueue();
  EXPECT_EQ(next, 2u) << "the removed one still holds a job";
  ASSERT_TRUE(scheduler.Submit(next, JobWith({{3}}, other.Callback())).ok());
  gate.Open();
  EXPECT_THAT(waiting.Wait()->sequences[0].values, ElementsAre(20));
  EXPECT_THAT(other.Wait()->sequences[0].values, ElementsAre(30));
}

TEST(SchedulerQueuesTest, ANumberIsGivenAgainOnceNothingRunsUnderIt) {
  Gate gate;
  Scheduler scheduler({}, 1, gate.Wrap(), IgnoreReport);
  Answer running;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, running.Callback())).ok());
  gate.WaitUntilEntered();
  scheduler.RemoveQueue(0);
  EXPECT_EQ(scheduler.AddQueue(), 1u) << "a batch of 0 runs";
  gate.Open();
  scheduler.Drain(absl::InfiniteFuture());
  EXPECT_TRUE(running.Wait().ok());
  EXPECT_EQ(scheduler.AddQueue(), 0u);
  EXPECT_EQ(scheduler.queued_seconds(0), 0) << "nothing of the old one stays";
}

// As models are replaced under load: a number means one queue at a time.
TEST(SchedulerQueuesTest, QueuesAreReplacedUnderLoad) {
  constexpr int kCallers = 3;
  constexpr int kQueuesOfEach = 60;
  constexpr size_t kJobs = 5;
  // Which caller's jobs a queue's batches may hold: its ids are the caller's.
  std::vector<std::atomic<int32_t>> owners(kCallers * (kQueuesOfEach + 1));
  Scheduler scheduler(
      {.threads = 3, .max_batches = 2}, 0,
      [&owners](size_t queue, const model::RaggedBatch& batch,
                const model::ForwardOptions& options,
                model::Workspace& workspace, model::BatchOutput* output) {
        for (const int32_t id : batch.ids)
          EXPECT_EQ(id, owners[queue].load()) << "queue " << queue;
        return TenTimesId(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  std::vector<std::thread> callers;
  for (int32_t caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int32_t turn = 0; turn < kQueuesOfEach; ++turn) {
        const size_t queue = scheduler.AddQueue();
        const int32_t id = caller * kQueuesOfEach + turn;
        owners[queue] = id;
        std::vector<Answer> answers(kJobs);
        for (Answer& answer : answers) {
          ASSERT_TRUE(
              scheduler.Submit(queue, JobWith({{id, id}}, answer.Callback()))
                  .ok());
        }
        for (Answer& answer : answers) EXPECT_TRUE(answer.Wait().ok());
        scheduler.RemoveQueue(queue);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LT(scheduler.AddQueue(), owners.size() / 4)
      << "numbers are given again";
}

}  // namespace
}  // namespace deberta::server
