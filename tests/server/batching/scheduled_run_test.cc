// Runs of tasks on a scheduler: what a long call and others see of each other.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "server/batching/scheduler.h"
#include "server/batching/task_run.h"
#include "tests/server/batching/numbers_task.h"
#include "tests/server/batching/stand_in_model.h"

namespace deberta::server {
namespace {

// Runs on a scheduler, whose model gives ten times the id.
struct ScheduledRun {
  ScheduledRun(Scheduler& scheduler, size_t sequences)
      : run(NumbersTask({.lengths = std::vector<size_t>(sequences, 2)}),
            {.submit =
                 [&scheduler](Job job) {
                   return scheduler.Submit(0, std::move(job));
                 },
             .limits = {.tokens = scheduler.round_tokens()},
             .cancelled = [this] { return cancelled.load(); }}) {}

  absl::Status Start() {
    return run.Start(
        [this](const absl::Status& status) { done.set_value(status); });
  }
  absl::Status Wait() { return done.get_future().get(); }

  std::atomic<bool> cancelled = false;
  std::promise<absl::Status> done;
  TaskRun<NumbersTask> run;
};

// Batches of two sequences, rounds of four, and a queue that holds four rounds.
constexpr size_t kBatch = 2;
constexpr size_t kRound = 4;
constexpr size_t kQueue = 4 * 2 * kRound;  // tokens
Scheduler::Options SmallRounds() {
  return {.max_batch_tokens = 2 * kBatch, .max_queue_tokens = kQueue};
}

TEST(ScheduledTaskRunTest, ARoundLeavesRoomForOthers) {
  const auto round = [](int batches, size_t batch, size_t queue) {
    const Scheduler scheduler({.threads = batches,
                               .max_batches = batches,
                               .max_batch_tokens = batch,
                               .max_queue_tokens = queue},
                              1, TenTimesId, IgnoreReport);
    return scheduler.round_tokens();
  };
  EXPECT_EQ(round(1, 1024, 32768), 2048u);
  EXPECT_EQ(round(2, 1024, 32768), 4096u);
  EXPECT_EQ(round(8, 1024, 32768), 8192u) << "a quarter of the queue";
  EXPECT_EQ(round(2, 1024, 2048), 1024u) << "a batch";
  EXPECT_EQ(round(1, 64, 8), 8u) << "the queue";
}

TEST(ScheduledTaskRunTest, ALongCallNeedsNoMoreRoomThanARound) {
  Gate gate;
  Scheduler scheduler(SmallRounds(), 1, gate.Wrap(), IgnoreReport);
  ASSERT_EQ(scheduler.round_tokens(), 2 * kRound);
  ScheduledRun run(scheduler, 1001);
  ASSERT_TRUE(run.Start().ok());
  gate.WaitUntilEntered();
  EXPECT_LE(scheduler.queued_tokens(0), 2 * kRound);
  gate.Open();
  ASSERT_EQ(run.Wait(), absl::OkStatus());
  EXPECT_EQ(*run.run.task().Finish(), Upto(1001, 10));
  EXPECT_EQ(scheduler.queued_tokens(0), 0u);
}

TEST(ScheduledTaskRunTest, AShortCallWaitsForARoundOfALongOne) {
  constexpr int32_t kShort = 5000;
  Gate gate;
  const Scheduler::RunBatch gated = gate.Wrap();
  std::vector<int32_t> computed;  // by the only worker
  Scheduler scheduler(
      SmallRounds(), 1,
      [&](size_t queue, const model::RaggedBatch& batch,
          const model::ForwardOptions& options, model::Workspace& workspace,
          model::BatchOutput* output) {
        for (size_t s = 0; s < batch.sequences(); ++s) {
          computed.push_back(batch.ids[batch.starts[s]]);
        }
        return gated(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  ScheduledRun run(scheduler, 1000);
  ASSERT_TRUE(run.Start().ok());
  gate.WaitUntilEntered();
  Answer answer;
  ASSERT_TRUE(
      scheduler.Submit(0, JobWith({{kShort, kShort}}, answer.Callback())).ok());
  gate.Open();
  EXPECT_TRUE(answer.Wait().ok());
  ASSERT_EQ(run.Wait(), absl::OkStatus());
  scheduler.Drain(absl::InfiniteFuture());
  const auto at = std::ranges::find(computed, kShort) - computed.begin();
  EXPECT_LE(at, static_cast<std::ptrdiff_t>(kRound));
  EXPECT_EQ(*run.run.task().Finish(), Upto(1000, 10));
}

// Its next round has room though others fill the queue meanwhile.
TEST(ScheduledTaskRunTest, AnAcceptedCallGoesOnThoughTheQueueIsFull) {
  Gate gate;
  Scheduler scheduler(SmallRounds(), 1, gate.Wrap(), IgnoreReport);
  ScheduledRun run(scheduler, 2 * kRound);
  ASSERT_TRUE(run.Start().ok());
  gate.WaitUntilEntered();
  std::vector<Answer> others((kQueue - scheduler.queued_tokens(0)) / 2);
  for (size_t i = 0; i < others.size(); ++i) {
    const auto id = static_cast<int32_t>(900 + i);
    Job job = JobWith({{id, id}}, others[i].Callback(), std::to_string(id));
    ASSERT_TRUE(scheduler.Submit(0, std::move(job)).ok());
  }
  Answer refused;
  EXPECT_TRUE(absl::IsResourceExhausted(
      scheduler.Submit(0, JobWith({{1, 1}}, refused.Callback()))));
  gate.Open();
  EXPECT_EQ(run.Wait(), absl::OkStatus());
  for (Answer& other : others) EXPECT_TRUE(other.Wait().ok());
}

TEST(ScheduledTaskRunTest, DrainFinishesAcceptedCallsToTheirLastRound) {
  Gate gate;
  Scheduler scheduler(SmallRounds(), 1, gate.Wrap(), IgnoreReport);
  ScheduledRun run(scheduler, 1000);
  ASSERT_TRUE(run.Start().ok());
  gate.WaitUntilEntered();
  std::thread drain([&] { scheduler.Drain(absl::InfiniteFuture()); });
  while (!absl::IsUnavailable(
      scheduler.Submit(0, JobWith({{1, 1}}, [](auto) {})))) {
    std::this_thread::yield();
  }
  gate.Open();
  EXPECT_EQ(run.Wait(), absl::OkStatus());
  drain.join();
  EXPECT_EQ(*run.run.task().Finish(), Upto(1000, 10));
}

TEST(ScheduledTaskRunTest, WhatIsLeftAtTheDrainsDeadlineIsUnavailable) {
  Gate gate;
  Scheduler scheduler(SmallRounds(), 1, gate.Wrap(), IgnoreReport);
  ScheduledRun run(scheduler, 1000);
  ASSERT_TRUE(run.Start().ok());
  gate.WaitUntilEntered();
  std::thread drain([&] { scheduler.Drain(absl::InfinitePast()); });
  // Until the drain is over but for that batch.
  while (!absl::IsUnavailable(
      scheduler.Submit(0, {.sequences = JobWith({{1}}, nullptr).sequences,
                           .continues = true,
                           .done = [](absl::StatusOr<JobOutput>) {}}))) {
    std::this_thread::yield();
  }
  gate.Open();
  EXPECT_TRUE(absl::IsUnavailable(run.Wait()));
  drain.join();
}

TEST(ScheduledTaskRunTest, CancelledItIsDropped) {
  Gate gate;
  std::atomic<int> batches = 0;
  const Scheduler::RunBatch gated = gate.Wrap();
  Scheduler scheduler(
      SmallRounds(), 1,
      [&](size_t queue, const model::RaggedBatch& batch,
          const model::ForwardOptions& options, model::Workspace& workspace,
          model::BatchOutput* output) {
        ++batches;
        return gated(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  ScheduledRun run(scheduler, 1000);
  ASSERT_TRUE(run.Start().ok());
  gate.WaitUntilEntered();
  run.cancelled = true;
  gate.Open();
  EXPECT_TRUE(absl::IsCancelled(run.Wait()));
  scheduler.Drain(absl::InfiniteFuture());
  EXPECT_EQ(batches, 1);
}

}  // namespace
}  // namespace deberta::server
