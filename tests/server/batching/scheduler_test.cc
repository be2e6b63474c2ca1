#include "server/batching/scheduler.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/batching/stand_in_model.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;

TEST(SchedulerTest, SequencesOfAJobComeBackInOrder) {
  Scheduler scheduler({.max_batch_tokens = 3}, 1, TenTimesId, IgnoreReport);
  Answer answer;
  Job job = JobWith({{1, 2}, {3}, {4, 5, 6, 7}}, answer.Callback());
  job.sequences[1].readout = Readout::kHiddenStates;
  ASSERT_TRUE(scheduler.Submit(0, std::move(job)).ok());
  const absl::StatusOr<JobOutput>& output = answer.Wait();
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_THAT(output->sequences[0].values, ElementsAre(10, 20));
  EXPECT_THAT(output->sequences[1].values, ElementsAre(3, -3));
  EXPECT_THAT(output->sequences[2].values, ElementsAre(40, 50, 60, 70));
  EXPECT_EQ(output->batch_tokens, 4u);
}

TEST(SchedulerTest, CallersShareABatch) {
  Gate gate;
  std::atomic<size_t> largest = 0;
  Scheduler scheduler({}, 1, gate.Wrap(),
                      [&largest](const Scheduler::BatchReport& report) {
                        largest = std::max(largest.load(), report.sequences);
                      });
  Answer first;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, first.Callback())).ok());
  gate.WaitUntilEntered();
  std::vector<Answer> answers(5);
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto id = static_cast<int32_t>(i + 2);
    ASSERT_TRUE(
        scheduler.Submit(0, JobWith({{id}}, answers[i].Callback())).ok());
  }
  gate.Open();
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_THAT(answers[i].Wait()->sequences[0].values,
                ElementsAre(static_cast<float>(i + 2) * 10));
    EXPECT_EQ(answers[i].Wait()->batch_sequences, 5u);
  }
  EXPECT_EQ(largest, 5u);
}

TEST(SchedulerTest, FullQueueRefusesAndRecovers) {
  Gate gate;
  Scheduler scheduler({.max_queue_tokens = 4}, 1, gate.Wrap(), IgnoreReport);
  Answer running, waiting, refused;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, running.Callback())).ok());
  gate.WaitUntilEntered();
  ASSERT_TRUE(
      scheduler.Submit(0, JobWith({{2, 3, 4, 5}}, waiting.Callback())).ok());
  EXPECT_EQ(scheduler.queued_tokens(0), 4u);
  EXPECT_EQ(scheduler.Submit(0, JobWith({{6}}, refused.Callback())).code(),
            absl::StatusCode::kResourceExhausted);
  gate.Open();
  EXPECT_TRUE(waiting.Wait().ok());
  EXPECT_FALSE(refused.HasArrived());
  Answer later;
  EXPECT_TRUE(scheduler.Submit(0, JobWith({{7}}, later.Callback())).ok());
  EXPECT_TRUE(later.Wait().ok());
}

// They were answered, and made room, only when a thread took the next batch.
TEST(SchedulerTest, JobsThatNobodyWaitsForLeaveAFullQueueAtOnce) {
  Gate gate;
  std::atomic<int64_t> now_us = 0;
  Scheduler scheduler({.max_queue_tokens = 4,
                       .now =
                           [&now_us] {
                             return absl::UnixEpoch() +
                                    absl::Microseconds(now_us.load());
                           }},
                      1, gate.Wrap(), IgnoreReport);
  Answer running, cancelled, expired, stays, refused, fits;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, running.Callback())).ok());
  gate.WaitUntilEntered();
  std::atomic<bool> gone = false;
  Job first = JobWith({{2}}, cancelled.Callback(), "a");
  first.cancelled = [&gone] { return gone.load(); };
  Job second = JobWith({{3, 3}}, expired.Callback(), "b");
  second.deadline = absl::UnixEpoch() + absl::Microseconds(10);
  ASSERT_TRUE(scheduler.Submit(0, std::move(first)).ok());
  ASSERT_TRUE(scheduler.Submit(0, std::move(second)).ok());
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{4}}, stays.Callback(), "c")).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(
      scheduler.Submit(0, JobWith({{5}}, refused.Callback(), "d"))));
  gone = true;
  now_us = 10;
  EXPECT_FALSE(cancelled.HasArrived());
  EXPECT_TRUE(absl::IsResourceExhausted(
      scheduler.Submit(0, JobWith({{6, 6, 6, 6}}, refused.Callback(), "d"))));
  EXPECT_TRUE(
      scheduler.Submit(0, JobWith({{7, 7, 7}}, fits.Callback(), "d")).ok());
  EXPECT_TRUE(cancelled.HasArrived()) << "though the only thread is busy";
  EXPECT_TRUE(expired.HasArrived());
  EXPECT_EQ(scheduler.queued_tokens(0), 4u);
  gate.Open();
  EXPECT_EQ(cancelled.Wait().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(expired.Wait().status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(stays.Wait().ok());
  EXPECT_TRUE(fits.Wait().ok());
  EXPECT_FALSE(refused.HasArrived());
}

TEST(SchedulerTest, CancelledAndExpiredJobsAreNotComputed) {
  Gate gate;
  std::atomic<int64_t> now_us = 0;
  std::atomic<size_t> computed = 0;
  Scheduler scheduler(
      {.now =
           [&now_us] {
             return absl::UnixEpoch() + absl::Microseconds(now_us.load());
           }},
      1, gate.Wrap(), [&computed](const Scheduler::BatchReport& report) {
        computed += report.sequences;
      });
  Answer running, cancelled, expired;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, running.Callback())).ok());
  gate.WaitUntilEntered();
  std::atomic<bool> gone = false;
  Job first = JobWith({{2}}, cancelled.Callback());
  first.cancelled = [&gone] { return gone.load(); };
  Job second = JobWith({{3}}, expired.Callback());
  second.deadline = absl::UnixEpoch() + absl::Microseconds(10);
  ASSERT_TRUE(scheduler.Submit(0, std::move(first)).ok());
  ASSERT_TRUE(scheduler.Submit(0, std::move(second)).ok());
  gone = true;
  now_us = 10;
  gate.Open();
  EXPECT_EQ(cancelled.Wait().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(expired.Wait().status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(running.Wait().ok());
  scheduler.Drain(absl::InfiniteFuture());
  EXPECT_EQ(computed, 1u);
}

TEST(SchedulerTest, BatchErrorReachesEveryJobOfTheBatch) {
  Scheduler scheduler(
      {}, 1,
      [](size_t, const model::RaggedBatch&, const model::ForwardOptions&,
         model::Workspace&,
         model::BatchOutput*) { return absl::InternalError("broken"); },
      IgnoreReport);
  Answer answer;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}, {2}}, answer.Callback())).ok());
  EXPECT_EQ(answer.Wait().status().code(), absl::StatusCode::kInternal);
}

TEST(SchedulerTest, DrainFinishesAcceptedWorkAndRefusesNew) {
  Gate gate;
  Scheduler scheduler({}, 1, gate.Wrap(), IgnoreReport);
  std::vector<Answer> answers(3);
  for (Answer& answer : answers)
    ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, answer.Callback())).ok());
  gate.WaitUntilEntered();
  std::thread drain([&] { scheduler.Drain(absl::InfiniteFuture()); });
  Answer refused;
  // Until the other thread has begun to drain, jobs are accepted.
  while (scheduler.Submit(0, JobWith({{9}}, [](absl::StatusOr<JobOutput>) {}))
             .ok()) {
    std::this_thread::yield();
  }
  gate.Open();
  drain.join();
  for (Answer& answer : answers) EXPECT_TRUE(answer.Wait().ok());
  EXPECT_EQ(scheduler.Submit(0, JobWith({{1}}, refused.Callback())).code(),
            absl::StatusCode::kUnavailable);
}

TEST(SchedulerTest, WorkLeftAtTheDrainDeadlineIsAnsweredUnavailable) {
  Gate gate;
  auto scheduler = std::make_unique<Scheduler>(Scheduler::Options{}, 1,
                                               gate.Wrap(), IgnoreReport);
  Answer running, waiting;
  ASSERT_TRUE(scheduler->Submit(0, JobWith({{1}}, running.Callback())).ok());
  gate.WaitUntilEntered();
  ASSERT_TRUE(scheduler->Submit(0, JobWith({{2}}, waiting.Callback())).ok());
  std::thread drain([&] { scheduler->Drain(absl::InfinitePast()); });
  EXPECT_EQ(waiting.Wait().status().code(), absl::StatusCode::kUnavailable);
  gate.Open();
  drain.join();
  EXPECT_TRUE(running.Wait().ok()) << "a running batch is finished";
}

TEST(SchedulerTest, QueuesOfSeveralModelsDoNotMix) {
  Scheduler scheduler(
      {.threads = 2, .max_batches = 2}, 2,
      [](size_t queue, const model::RaggedBatch& batch,
         const model::ForwardOptions& options, model::Workspace& workspace,
         model::BatchOutput* output) {
        for (const int32_t id : batch.ids)
          EXPECT_EQ(static_cast<size_t>(id) / 100, queue);
        return TenTimesId(queue, batch, options, workspace, output);
      },
      IgnoreReport);
  std::vector<Answer> answers(100);
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto id = static_cast<int32_t>((i % 2) * 100 + i / 2);
    ASSERT_TRUE(
        scheduler.Submit(i % 2, JobWith({{id}}, answers[i].Callback())).ok());
  }
  for (Answer& answer : answers) EXPECT_TRUE(answer.Wait().ok());
}

// Callers that come, cancel and expire at random, on real threads: every
// accepted job is answered exactly once, and with its own values.
TEST(SchedulerTest, RandomCallersAreEachAnsweredOnce) {
  constexpr int kCallers = 4;
  constexpr int kJobs = 500;
  std::atomic<int64_t> now_us = 0;
  std::atomic<size_t> answered = 0;
  std::atomic<size_t> accepted = 0;
  {
    Scheduler scheduler(
        {.threads = 3,
         .max_batches = 2,
         .max_threads_per_batch = 3,
         .max_batch_tokens = 16,
         .max_queue_tokens = 64,
         .now =
             [&now_us] {
               return absl::UnixEpoch() + absl::Microseconds(now_us.load());
             }},
        2,
        [&now_us](size_t queue, const model::RaggedBatch& batch,
                  const model::ForwardOptions& options,
                  model::Workspace& workspace, model::BatchOutput* output) {
          ++now_us;
          return TenTimesId(queue, batch, options, workspace, output);
        },
        IgnoreReport);
    std::vector<std::thread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] {
        std::mt19937 random(static_cast<uint32_t>(caller));
        for (int n = 0; n < kJobs; ++n) {
          std::vector<std::vector<int32_t>> sequences(1 + random() % 3);
          for (auto& ids : sequences) {
            ids.resize(1 + random() % 20);
            for (int32_t& id : ids) id = static_cast<int32_t>(random() % 1000);
          }
          auto expected = sequences;
          Job job =
              JobWith(std::move(sequences),
                      [&answered, expected](absl::StatusOr<JobOutput> output) {
                        ++answered;
                        if (!output.ok()) return;
                        for (size_t s = 0; s < expected.size(); ++s)
                          for (size_t r = 0; r < expected[s].size(); ++r)
                            ASSERT_EQ(output->sequences[s].values[r],
                                      static_cast<float>(expected[s][r]) * 10);
                      });
          if (random() % 4 == 0) {
            auto asked = std::make_shared<std::atomic<int>>(0);
            job.cancelled = [asked] { return ++*asked > 1; };
          }
          if (random() % 4 == 0) {
            job.deadline =
                absl::UnixEpoch() + absl::Microseconds(now_us + random() % 5);
          }
          if (scheduler.Submit(random() % 2, std::move(job)).ok()) ++accepted;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    scheduler.Drain(absl::InfiniteFuture());
    EXPECT_EQ(answered, accepted);
    EXPECT_GT(accepted, 0u);
  }
}

}  // namespace
}  // namespace deberta::server
