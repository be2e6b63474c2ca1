#include "server/batching/task_run.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/batching/scheduler.h"
#include "tests/server/batching/stand_in_model.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Asks for sequences of these lengths; the ids of each are its number. Its
// result is the first value of every output.
class NumbersTask {
 public:
  struct Request {
    std::vector<size_t> lengths = {};
    size_t width = 1;
    // Number of the sequence whose output it does not take.
    std::optional<size_t> refused = {};
  };
  using Result = float;

  static absl::StatusOr<NumbersTask> Create(Request request, const TaskModel&) {
    return NumbersTask(std::move(request));
  }
  explicit NumbersTask(Request request) : request_(std::move(request)) {}

  std::vector<Coverage> coverage() const { return {}; }
  size_t output_width() const { return request_.width; }
  size_t longest_sequence() const { return 0; }
  std::optional<SequenceInput> Next() {
    if (next_ == request_.lengths.size()) return std::nullopt;
    const size_t length = request_.lengths[next_];
    return SequenceInput{
        .ids = std::vector<int32_t>(length, static_cast<int32_t>(next_++)),
        .type_ids = std::vector<int32_t>(length),
        .rows = {0}};
  }
  absl::Status Consume(SequenceOutput output) {
    if (results_.size() == request_.refused)
      return absl::InvalidArgumentError("too large");
    results_.push_back(output.values.at(0));
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<float>> Finish() { return results_; }

 private:
  Request request_;
  size_t next_ = 0;
  std::vector<float> results_;
};
static_assert(Task<NumbersTask>);

std::vector<float> Upto(size_t count, float factor = 1) {
  std::vector<float> numbers;
  for (size_t i = 0; i < count; ++i) {
    numbers.push_back(static_cast<float>(i) * factor);
  }
  return numbers;
}

// A run whose rounds the test answers.
class TaskRunTest : public ::testing::Test {
 protected:
  TaskRun<NumbersTask>& Make(NumbersTask::Request request, RoundLimits limits) {
    run_ = std::make_unique<TaskRun<NumbersTask>>(
        NumbersTask(std::move(request)),
        TaskRun<NumbersTask>::Options{
            .submit =
                [this](Job job) {
                  if (!submit_status_.ok()) return submit_status_;
                  jobs_.push_back(std::move(job));
                  return absl::OkStatus();
                },
            .limits = limits,
            .deadline = absl::UnixEpoch() + absl::Seconds(10),
            .cancelled = [this] { return cancelled_; },
            .now = [this] { return now_; }});
    return *run_;
  }
  absl::Status Start() {
    return run_->Start([this](const absl::Status& status) {
      ASSERT_FALSE(done_.has_value());
      done_ = status;
    });
  }

  // Answers the round that waits; its lengths.
  std::vector<size_t> AnswerRound(size_t batch_tokens = 0) {
    const Job job = std::move(jobs_.back());
    jobs_.pop_back();
    JobOutput output = {.sequences = {},
                        .queue_time = absl::Seconds(1),
                        .compute_time = absl::Seconds(2),
                        .batch_sequences = job.sequences.size(),
                        .batch_tokens = batch_tokens};
    std::vector<size_t> lengths;
    for (const SequenceInput& sequence : job.sequences) {
      lengths.push_back(sequence.ids.size());
      output.sequences.push_back(
          {.values = {static_cast<float>(sequence.ids[0])}, .width = 1});
    }
    job.done(std::move(output));
    return lengths;
  }

  std::vector<Job> jobs_;
  absl::Status submit_status_;
  bool cancelled_ = false;
  absl::Time now_ = absl::UnixEpoch();
  std::optional<absl::Status> done_;
  std::unique_ptr<TaskRun<NumbersTask>> run_;
};

struct RoundsCase {
  NumbersTask::Request request;
  RoundLimits limits;
  std::vector<std::vector<size_t>> rounds;
};

TEST_F(TaskRunTest, RoundsHoldWhatFits) {
  const std::vector<RoundsCase> cases = {
      {{.lengths = {3}}, {.tokens = 1}, {{3}}},
      {{.lengths = {3, 3, 3}}, {.tokens = 9}, {{3, 3, 3}}},
      {{.lengths = {3, 3, 3}}, {.tokens = 8}, {{3, 3}, {3}}},
      {{.lengths = {1, 9, 1, 1}}, {.tokens = 4}, {{1}, {9}, {1, 1}}},
      {{.lengths = {1, 1, 1}, .width = 10},
       {.tokens = 99, .values = 20},
       {{1, 1}, {1}}},
      {{.lengths = {1, 1}, .width = 30},
       {.tokens = 99, .values = 20},
       {{1}, {1}}},
  };
  for (const RoundsCase& c : cases) {
    done_.reset();
    Make(c.request, c.limits);
    ASSERT_TRUE(Start().ok());
    std::vector<std::vector<size_t>> rounds;
    while (!jobs_.empty()) {
      ASSERT_THAT(jobs_, SizeIs(1)) << "one round at a time";
      EXPECT_EQ(jobs_[0].continues, !rounds.empty());
      EXPECT_FALSE(done_.has_value());
      rounds.push_back(AnswerRound());
    }
    EXPECT_EQ(rounds, c.rounds);
    EXPECT_EQ(done_, absl::OkStatus());
    EXPECT_EQ(*run_->task().Finish(), Upto(c.request.lengths.size()));
  }
}

TEST_F(TaskRunTest, SumsTimesAndTellsTheLargestBatch) {
  Make({.lengths = {1, 1, 1, 1}}, {.tokens = 2});
  ASSERT_TRUE(Start().ok());
  AnswerRound(7);
  AnswerRound(5);
  ASSERT_EQ(done_, absl::OkStatus());
  const JobOutput& totals = run_->totals();
  EXPECT_EQ(totals.queue_time, absl::Seconds(2));
  EXPECT_EQ(totals.compute_time, absl::Seconds(4));
  EXPECT_EQ(totals.batch_tokens, 7u);
  EXPECT_EQ(totals.batch_sequences, 2u);
  EXPECT_THAT(totals.sequences, IsEmpty()) << "values die with their round";
}

TEST_F(TaskRunTest, RefusedAtFirstItIsNeverDone) {
  submit_status_ = absl::ResourceExhaustedError("full");
  Make({.lengths = {1, 1}}, {.tokens = 1});
  EXPECT_EQ(Start(), submit_status_);
  EXPECT_FALSE(done_.has_value());
}

TEST_F(TaskRunTest, RefusedLaterItEnds) {
  Make({.lengths = {1, 1}}, {.tokens = 1});
  ASSERT_TRUE(Start().ok());
  submit_status_ = absl::UnavailableError("drained");
  AnswerRound();
  EXPECT_EQ(done_, submit_status_);
}

TEST_F(TaskRunTest, CancelledBetweenRoundsItAsksForNoMore) {
  Make({.lengths = {1, 1, 1}}, {.tokens = 1});
  ASSERT_TRUE(Start().ok());
  AnswerRound();
  cancelled_ = true;
  EXPECT_TRUE(jobs_[0].cancelled()) << "the round that waits is dropped";
  AnswerRound();
  ASSERT_TRUE(done_.has_value());
  EXPECT_TRUE(absl::IsCancelled(*done_));
  EXPECT_THAT(jobs_, IsEmpty());
}

TEST_F(TaskRunTest, PastItsDeadlineBetweenRoundsItAsksForNoMore) {
  Make({.lengths = {1, 1, 1}}, {.tokens = 1});
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(jobs_[0].deadline, absl::UnixEpoch() + absl::Seconds(10))
      << "the call's, not the round's";
  AnswerRound();
  now_ += absl::Seconds(10);
  AnswerRound();
  ASSERT_TRUE(done_.has_value());
  EXPECT_TRUE(absl::IsDeadlineExceeded(*done_));
  EXPECT_THAT(jobs_, IsEmpty());
}

TEST_F(TaskRunTest, ErrorsEndIt) {
  Make({.lengths = {1, 1, 1}}, {.tokens = 1});
  ASSERT_TRUE(Start().ok());
  const Job job = std::move(jobs_.back());
  jobs_.clear();
  job.done(absl::InternalError("broken"));
  EXPECT_EQ(done_, absl::InternalError("broken"));

  done_.reset();
  Make({.lengths = {1, 1, 1}, .refused = 1}, {.tokens = 1});
  ASSERT_TRUE(Start().ok());
  AnswerRound();
  AnswerRound();
  ASSERT_TRUE(done_.has_value());
  EXPECT_TRUE(absl::IsInvalidArgument(*done_));
  EXPECT_THAT(jobs_, IsEmpty());
}

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

// Batches of two sequences, rounds of four, and a queue that holds one round.
constexpr size_t kBatch = 2;
constexpr size_t kRound = 4;
Scheduler::Options SmallRounds() {
  return {.max_batch_tokens = 2 * kBatch, .max_queue_tokens = 2 * kRound};
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
          const model::StillWanted& wanted, model::Workspace& workspace,
          model::BatchOutput* output) {
        for (size_t s = 0; s < batch.sequences(); ++s) {
          computed.push_back(batch.ids[batch.starts[s]]);
        }
        return gated(queue, batch, wanted, workspace, output);
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
  std::vector<Answer> others(kBatch);
  for (size_t i = 0; i < others.size(); ++i) {
    const auto id = static_cast<int32_t>(900 + i);
    ASSERT_TRUE(
        scheduler.Submit(0, JobWith({{id, id}}, others[i].Callback())).ok());
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
          const model::StillWanted& wanted, model::Workspace& workspace,
          model::BatchOutput* output) {
        ++batches;
        return gated(queue, batch, wanted, workspace, output);
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
