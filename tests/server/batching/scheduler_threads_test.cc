// Threads that help each other, and jobs that are given up while they run.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <future>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/batching/scheduler.h"
#include "tests/server/batching/stand_in_model.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;

// More tokens than any team here needs.
std::vector<int32_t> LongSequence(int32_t id) {
  return std::vector<int32_t>(64, id);
}

TEST(SchedulerThreadsTest, FreeThreadsHelpABatchThatRunsAlone) {
  constexpr int kThreads = 4;
  Scheduler scheduler(
      {.threads = kThreads,
       .max_batches = kThreads,
       .max_threads_per_batch = kThreads},
      1,
      [](size_t queue, const model::RaggedBatch& batch,
         const model::ForwardOptions& options, model::Workspace& workspace,
         model::BatchOutput* output) {
        while (workspace.threads() < kThreads) std::this_thread::yield();
        // A task each: none ends before all have begun.
        std::atomic<int> begun = 0;
        std::vector<std::atomic<int>> tasks(kThreads);
        workspace.pool().ParallelFor(kThreads, [&](size_t, int thread) {
          ++tasks[static_cast<size_t>(thread)];
          workspace.thread_scratch(thread).floats.Reserve(1);
          ++begun;
          while (begun < kThreads) std::this_thread::yield();
        });
        for (const auto& count : tasks) EXPECT_EQ(count, 1);
        return TenTimesId(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  for (int32_t id = 0; id < 20; ++id) {
    Answer answer;
    ASSERT_TRUE(
        scheduler.Submit(0, JobWith({LongSequence(id)}, answer.Callback()))
            .ok());
    ASSERT_TRUE(answer.Wait().ok());
    EXPECT_EQ(answer.Wait()->sequences[0].values,
              std::vector<float>(64, static_cast<float>(id) * 10));
  }
}

// A quota that changed while the server ran was not noticed.
TEST(SchedulerThreadsTest, ThreadsComeAndRestWithTheMachine) {
  std::atomic<int> wanted = 1;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  Scheduler scheduler(
      {.threads = 1,
       .most_threads = 3,
       .max_batches = 3,
       .max_batch_tokens = 1024},
      1,
      [&](size_t queue, const model::RaggedBatch& batch,
          const model::ForwardOptions& options, model::Workspace& workspace,
          model::BatchOutput* output) {
        const int now = ++running;
        most = std::max(most.load(), now);
        while (most < wanted) std::this_thread::yield();
        --running;
        return TenTimesId(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  const auto run = [&](int threads) {
    scheduler.SetMachine(threads, 1);
    most = 0;
    wanted = threads;
    // Each too long for company.
    std::vector<Answer> answers(6);
    int32_t id = 0;
    for (Answer& answer : answers) {
      ASSERT_TRUE(scheduler
                      .Submit(0, JobWith({std::vector<int32_t>(1024, ++id)},
                                         answer.Callback()))
                      .ok());
    }
    for (Answer& answer : answers) ASSERT_TRUE(answer.Wait().ok());
    EXPECT_EQ(most, threads);
  };
  run(1);
  run(3);
  run(1);
  run(2);
}

TEST(SchedulerThreadsTest, ThreadsLeadBatchesBeforeTheyHelp) {
  constexpr size_t kBatches = 3;
  std::atomic<size_t> running = 0;
  Scheduler scheduler(
      {.threads = kBatches,
       .max_batches = kBatches,
       .max_threads_per_batch = kBatches,
       .max_batch_tokens = 64},
      1,
      [&](size_t queue, const model::RaggedBatch& batch,
          const model::ForwardOptions& options, model::Workspace& workspace,
          model::BatchOutput* output) {
        ++running;
        while (running < kBatches) std::this_thread::yield();
        return TenTimesId(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  Answer answer;
  ASSERT_TRUE(scheduler
                  .Submit(0, JobWith({LongSequence(1), LongSequence(2),
                                      LongSequence(3)},
                                     answer.Callback()))
                  .ok());
  EXPECT_TRUE(answer.Wait().ok());
}

// The first batch goes on until the second is done, for which no thread is free
// but the one that helps.
TEST(SchedulerThreadsTest, AHelperIsCalledToABatchThatWaits) {
  std::promise<void> helped;
  std::atomic<bool> second_done = false;
  std::atomic<bool> first = true;
  Scheduler scheduler(
      {.threads = 2, .max_batches = 2, .max_threads_per_batch = 2}, 1,
      [&](size_t queue, const model::RaggedBatch& batch,
          const model::ForwardOptions& options, model::Workspace& workspace,
          model::BatchOutput* output) {
        if (first.exchange(false)) {
          while (workspace.threads() < 2) std::this_thread::yield();
          helped.set_value();
          while (!second_done)
            workspace.pool().ParallelFor(2, [](auto, int) {});
        }
        return TenTimesId(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  Answer long_one, short_one;
  ASSERT_TRUE(
      scheduler.Submit(0, JobWith({LongSequence(1)}, long_one.Callback()))
          .ok());
  helped.get_future().wait();
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{2}}, short_one.Callback())).ok());
  EXPECT_TRUE(short_one.Wait().ok());
  EXPECT_FALSE(long_one.HasArrived());
  second_done = true;
  EXPECT_TRUE(long_one.Wait().ok());
}

// A call that waited for companions then waited for the running batch too.
TEST(SchedulerThreadsTest, AHelperIsCalledWhenABatchHasWaitedLongEnough) {
  constexpr int kMostLoops = 1'000'000;  // seconds, if nobody comes
  std::promise<void> helped;
  std::atomic<bool> second_done = false;
  std::atomic<int64_t> now_us = 0;
  Scheduler scheduler(
      {.threads = 2,
       .max_batches = 2,
       .max_threads_per_batch = 2,
       .max_batch_tokens = 64,
       .max_batch_wait = absl::Milliseconds(2),
       .now =
           [&now_us] {
             return absl::UnixEpoch() + absl::Microseconds(now_us.load());
           }},
      1,
      [&](size_t queue, const model::RaggedBatch& batch,
          const model::ForwardOptions& options, model::Workspace& workspace,
          model::BatchOutput* output) {
        if (batch.tokens() == 64) {
          while (workspace.threads() < 2) std::this_thread::yield();
          helped.set_value();
          for (int i = 0; i < kMostLoops && !second_done; ++i) {
            workspace.pool().ParallelFor(2, [](auto, int) {});
          }
        }
        return TenTimesId(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  Answer long_one, short_one;
  ASSERT_TRUE(
      scheduler.Submit(0, JobWith({LongSequence(1)}, long_one.Callback()))
          .ok());
  helped.get_future().wait();
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{2}}, short_one.Callback())).ok());
  now_us = 1999;
  EXPECT_FALSE(short_one.HasArrived());
  now_us = 2000;
  EXPECT_TRUE(short_one.Wait().ok());
  EXPECT_EQ(short_one.Wait()->queue_time, absl::Milliseconds(2));
  EXPECT_FALSE(long_one.HasArrived());
  second_done = true;
  EXPECT_TRUE(long_one.Wait().ok());
}

TEST(SchedulerThreadsTest, NoMoreBatchesAtOnceThanAllowed) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  Scheduler scheduler(
      {.threads = 4,
       .max_batches = 2,
       .max_threads_per_batch = 2,
       .max_batch_tokens = 64},
      1,
      [&](size_t queue, const model::RaggedBatch& batch,
          const model::ForwardOptions& options, model::Workspace& workspace,
          model::BatchOutput* output) {
        most = std::max(most.load(), ++running);
        while (workspace.threads() < 2) std::this_thread::yield();
        --running;
        return TenTimesId(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  Answer answer;
  std::vector<std::vector<int32_t>> sequences;
  for (int32_t id = 0; id < 40; ++id) sequences.push_back(LongSequence(id));
  ASSERT_TRUE(scheduler.Submit(0, JobWith(sequences, answer.Callback())).ok());
  EXPECT_TRUE(answer.Wait().ok());
  EXPECT_LE(most, 2);
}

// The first batch stops in its middle until the test has done its part. Jobs
// that are submitted before Start() share it.
class GivingUpTest : public ::testing::Test {
 protected:
  Scheduler::Options Options(size_t max_batch_tokens) {
    return {.max_batch_tokens = max_batch_tokens,
            .max_batch_wait = absl::Microseconds(1),
            .now = [this] { return At(now_us_); }};
  }
  static absl::Time At(int64_t us) {
    return absl::UnixEpoch() + absl::Microseconds(us);
  }

  Scheduler::RunBatch RunBatch() {
    return [this](size_t queue, const model::RaggedBatch& batch,
                  const model::ForwardOptions& options,
                  model::Workspace& workspace, model::BatchOutput* output) {
      if (++batches_ == 1) {
        for (size_t s = 0; s < batch.sequences(); ++s) {
          EXPECT_TRUE(options.still_wanted(s)) << s;
        }
        midway_.set_value();
        go_on_.get_future().wait();
      }
      return TenTimesId(queue, batch, options, workspace, output);
    };
  }
  void StartAndWaitUntilMidway() {
    now_us_ = 1;
    midway_.get_future().wait();
  }

  std::atomic<int64_t> now_us_ = 0;
  std::atomic<bool> gone_ = false;
  std::atomic<int> batches_ = 0;
  std::promise<void> midway_;
  std::promise<void> go_on_;
};

TEST_F(GivingUpTest, OnlyThoseWhoAreGoneGetNothing) {
  std::atomic<size_t> reported = 0;
  Scheduler scheduler(
      Options(100), 1, RunBatch(),
      [&](const Scheduler::BatchReport& report) { reported += report.tokens; });
  Answer stays, expires, leaves, leaves_too, shares;
  Job expiring = JobWith({{2}}, expires.Callback());
  expiring.deadline = At(10);
  Job leaving = JobWith({{3}}, leaves.Callback());
  leaving.cancelled = [this] { return gone_.load(); };
  Job leaving_too = JobWith({{4}}, leaves_too.Callback());
  leaving_too.cancelled = leaving.cancelled;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, stays.Callback())).ok());
  ASSERT_TRUE(scheduler.Submit(0, std::move(expiring)).ok());
  ASSERT_TRUE(scheduler.Submit(0, std::move(leaving)).ok());
  ASSERT_TRUE(scheduler.Submit(0, std::move(leaving_too)).ok());
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{4}}, shares.Callback())).ok());
  StartAndWaitUntilMidway();
  gone_ = true;
  now_us_ = 10;
  go_on_.set_value();
  EXPECT_THAT(stays.Wait()->sequences[0].values, ElementsAre(10));
  EXPECT_EQ(expires.Wait().status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(leaves.Wait().status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(shares.Wait()->sequences[0].values, ElementsAre(40));
  EXPECT_TRUE(leaves_too.Wait().ok()) << "it was computed for another";
  scheduler.Drain(absl::InfiniteFuture());
  EXPECT_EQ(batches_, 1);
  EXPECT_EQ(reported, 4u) << "equal sequences once";
}

TEST_F(GivingUpTest, ABatchThatNobodyWaitsForEnds) {
  std::atomic<int> reports = 0;
  Scheduler scheduler(Options(100), 1, RunBatch(),
                      [&](const Scheduler::BatchReport&) { ++reports; });
  Answer expires, leaves, later;
  Job expiring = JobWith({{2}}, expires.Callback());
  expiring.deadline = At(10);
  Job leaving = JobWith({{3}}, leaves.Callback());
  leaving.cancelled = [this] { return gone_.load(); };
  ASSERT_TRUE(scheduler.Submit(0, std::move(expiring)).ok());
  ASSERT_TRUE(scheduler.Submit(0, std::move(leaving)).ok());
  StartAndWaitUntilMidway();
  gone_ = true;
  now_us_ = 10;
  go_on_.set_value();
  EXPECT_EQ(expires.Wait().status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(leaves.Wait().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(reports, 0);
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{5}}, later.Callback())).ok());
  now_us_ = 20;
  EXPECT_THAT(later.Wait()->sequences[0].values, ElementsAre(50));
}

TEST_F(GivingUpTest, TheRestOfAJobIsNotComputedEither) {
  Scheduler scheduler(Options(1), 1, RunBatch(), IgnoreReport);
  Answer answer;
  Job job = JobWith({{1}, {2}, {3}}, answer.Callback());
  job.cancelled = [this] { return gone_.load(); };
  ASSERT_TRUE(scheduler.Submit(0, std::move(job)).ok());
  StartAndWaitUntilMidway();
  gone_ = true;
  go_on_.set_value();
  EXPECT_EQ(answer.Wait().status().code(), absl::StatusCode::kCancelled);
  scheduler.Drain(absl::InfiniteFuture());
  EXPECT_EQ(batches_, 1);
}

}  // namespace
}  // namespace deberta::server
