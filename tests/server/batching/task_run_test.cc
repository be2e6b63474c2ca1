#include "server/batching/task_run.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/batching/numbers_task.h"

namespace deberta::server {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

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

TEST_F(TaskRunTest, ATaskWithoutSequencesIsAnsweredAtOnce) {
  Make({.lengths = {}}, {.tokens = 9});
  ASSERT_TRUE(Start().ok());
  EXPECT_THAT(jobs_, IsEmpty());
  EXPECT_EQ(done_, absl::OkStatus());
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

}  // namespace
}  // namespace deberta::server
