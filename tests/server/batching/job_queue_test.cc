#include "server/batching/job_queue.h"

#include <cstddef>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr JobQueue::Limits kLimits = {.max_batch_tokens = 100,
                                      .max_queue_tokens = 1000,
                                      .max_batch_wait = absl::Microseconds(50)};

absl::Time At(int us) { return absl::UnixEpoch() + absl::Microseconds(us); }

// A job of sequences of these ids each.
Job JobOfIds(const std::vector<std::vector<int32_t>>& sequences) {
  Job job;
  for (const std::vector<int32_t>& ids : sequences) {
    job.sequences.push_back({.ids = ids,
                             .type_ids = std::vector<int32_t>(ids.size(), 0),
                             .rows = {0}});
  }
  job.done = [](absl::StatusOr<JobOutput>) {};
  return job;
}

// A job of sequences with these lengths, none equal to another.
Job JobOf(const std::vector<size_t>& lengths) {
  static int32_t next_id = 0;
  std::vector<std::vector<int32_t>> sequences;
  for (const size_t length : lengths) {
    sequences.emplace_back(length, ++next_id);
  }
  return JobOfIds(sequences);
}

std::vector<size_t> InputsOf(const Batch& batch) {
  std::vector<size_t> inputs;
  for (const Batch::Entry& entry : batch.entries) inputs.push_back(entry.input);
  return inputs;
}

std::vector<size_t> LengthsOf(const Batch& batch) {
  std::vector<size_t> lengths;
  for (const Batch::Entry& entry : batch.entries)
    lengths.push_back(entry.job->job.sequences[entry.sequence].ids.size());
  return lengths;
}

struct TakeBatchCase {
  std::string name;
  std::vector<std::vector<size_t>> jobs;
  std::vector<std::vector<size_t>> batches;
};

class TakeBatchTest : public ::testing::TestWithParam<TakeBatchCase> {};

TEST_P(TakeBatchTest, FormsTheseBatches) {
  JobQueue queue(kLimits);
  for (const std::vector<size_t>& lengths : GetParam().jobs) {
    Job job = JobOf(lengths);
    ASSERT_TRUE(queue.Push(job, At(0)).ok());
  }
  for (const std::vector<size_t>& expected : GetParam().batches) {
    const Batch batch = queue.TakeBatch(At(1));
    EXPECT_EQ(LengthsOf(batch), expected);
    size_t tokens = 0;
    for (const size_t length : expected) tokens += length;
    EXPECT_EQ(batch.tokens, tokens);
    EXPECT_EQ(batch.inputs, expected.size());
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.tokens(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Tables, TakeBatchTest,
    ::testing::Values(
        TakeBatchCase{"One", {{10}}, {{10}}},
        TakeBatchCase{"JobsShareABatch", {{10}, {20, 30}}, {{10, 20, 30}}},
        TakeBatchCase{"ExactlyFull", {{60}, {40}, {1}}, {{60, 40}, {1}}},
        TakeBatchCase{"NextDoesNotFit", {{60}, {41}}, {{60}, {41}}},
        TakeBatchCase{
            "TooLongRunsAlone", {{10}, {300}, {5}}, {{10}, {300}, {5}}},
        TakeBatchCase{"JobIsSplit", {{50, 50, 50}}, {{50, 50}, {50}}},
        TakeBatchCase{
            "RestOfAJobLeadsTheNext", {{70, 70}, {20}}, {{70}, {70, 20}}}),
    [](const auto& instance) { return instance.param.name; });

TEST(JobQueueTest, EqualSequencesAreOneInput) {
  JobQueue queue(kLimits);
  Job first = JobOfIds({{1, 2}, {3}, {1, 2}});
  Job second = JobOfIds({{3}, {1, 2}, {2, 1}, {1, 2}});
  second.sequences[3].type_ids = {0, 1};
  second.sequences[1].rows = {1};
  second.sequences[1].readout = Readout::kHiddenStates;
  ASSERT_TRUE(queue.Push(first, At(0)).ok());
  ASSERT_TRUE(queue.Push(second, At(0)).ok());
  EXPECT_EQ(queue.tokens(), 12u);
  const Batch batch = queue.TakeBatch(At(1));
  EXPECT_THAT(InputsOf(batch), ElementsAre(0, 1, 0, 1, 0, 2, 3));
  EXPECT_EQ(batch.inputs, 4u);
  EXPECT_EQ(batch.tokens, 7u);
  EXPECT_EQ(queue.tokens(), 0u);
}

TEST(JobQueueTest, EqualSequencesNeedRoomOnce) {
  JobQueue queue(kLimits);
  const std::vector<int32_t> sixty(60, 1);
  const std::vector<int32_t> forty(40, 2);
  Job job = JobOfIds({sixty, sixty, forty, sixty, {3}, forty, sixty});
  ASSERT_TRUE(queue.Push(job, At(0)).ok());
  EXPECT_THAT(LengthsOf(queue.TakeBatch(At(1))), ElementsAre(60, 60, 40, 60));
  EXPECT_THAT(LengthsOf(queue.TakeBatch(At(1))), ElementsAre(1, 40));
  EXPECT_THAT(LengthsOf(queue.TakeBatch(At(1))), ElementsAre(60));
}

// Room is a matter of work, the head's included; batches tell their tokens.
TEST(JobQueueTest, CountsTheWorkOfTheHead) {
  JobQueue queue(kLimits);
  Job job = JobOfIds({{1, 2}, {3}, {4}, {3}});
  job.sequences[0].head_tokens = 58;
  job.sequences[1].head_tokens = 39;
  job.sequences[3].head_tokens = 39;
  ASSERT_TRUE(queue.Push(job, At(0)).ok());
  EXPECT_EQ(queue.tokens(), 141u);
  EXPECT_EQ(queue.ReadyAt(), absl::InfinitePast());
  Job large = JobOf({1});
  large.sequences[0].head_tokens = 860;
  EXPECT_TRUE(absl::IsResourceExhausted(queue.Push(large, At(0))));
  const Batch first = queue.TakeBatch(At(1));
  EXPECT_THAT(LengthsOf(first), ElementsAre(2, 1));
  EXPECT_EQ(first.tokens, 3u);
  EXPECT_EQ(first.cost, 100u);
  EXPECT_EQ(queue.tokens(), 41u);
  EXPECT_THAT(LengthsOf(queue.TakeBatch(At(1))), ElementsAre(1, 1));
  EXPECT_EQ(queue.tokens(), 0u);
}

// Of an equal sequence other rows are read.
TEST(JobQueueTest, EqualSequencesNeedRoomForTheirHeads) {
  JobQueue queue(kLimits);
  Job job = JobOfIds({{1}, {1}, {1}});
  for (SequenceInput& sequence : job.sequences) sequence.head_tokens = 49;
  ASSERT_TRUE(queue.Push(job, At(0)).ok());
  const Batch batch = queue.TakeBatch(At(1));
  EXPECT_THAT(LengthsOf(batch), ElementsAre(1, 1));
  EXPECT_EQ(batch.cost, 99u);
  EXPECT_THAT(LengthsOf(queue.TakeBatch(At(1))), ElementsAre(1));
}

TEST(JobQueueTest, RefusesWhatDoesNotFit) {
  JobQueue queue(kLimits);
  Job most = JobOf({900});
  ASSERT_TRUE(queue.Push(most, At(0)).ok());
  Job more = JobOf({101});
  const absl::Status full = queue.Push(more, At(0));
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()), HasSubstr("900 of 1000"));
  EXPECT_THAT(more.sequences, SizeIs(1)) << "a refused job is left as it was";
  Job exact = JobOf({100});
  EXPECT_TRUE(queue.Push(exact, At(0)).ok());
}

TEST(JobQueueTest, RefusesAJobLargerThanTheWholeQueue) {
  JobQueue queue(kLimits);
  Job job = JobOf({600, 401});
  const absl::Status status = queue.Push(job, At(0));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("1001"));
}

// An accepted call goes on, behind what waits and lets others pass; new ones
// are refused until there is room again.
TEST(JobQueueTest, TakesWhatContinuesThoughItIsFull) {
  JobQueue queue(kLimits);
  Job most = JobOf({1000});
  ASSERT_TRUE(queue.Push(most, At(0)).ok());
  Job next = JobOf({50, 50});
  next.continues = true;
  ASSERT_TRUE(queue.Push(next, At(1)).ok());
  EXPECT_EQ(queue.tokens(), 1100u);
  Job other = JobOf({1});
  EXPECT_TRUE(absl::IsResourceExhausted(queue.Push(other, At(2))));
  EXPECT_THAT(LengthsOf(queue.TakeBatch(At(3))), ElementsAre(1000));
  EXPECT_TRUE(queue.Push(other, At(4)).ok());
  EXPECT_THAT(LengthsOf(queue.TakeBatch(At(5))), ElementsAre(1));
  EXPECT_THAT(LengthsOf(queue.TakeBatch(At(5))), ElementsAre(50, 50));
}

TEST(JobQueueTest, ReadyWhenOldestHasWaitedOrABatchIsFull) {
  JobQueue queue(kLimits);
  EXPECT_EQ(queue.ReadyAt(), absl::InfiniteFuture());
  Job first = JobOf({10});
  ASSERT_TRUE(queue.Push(first, At(5)).ok());
  EXPECT_EQ(queue.ReadyAt(), At(55));
  Job second = JobOf({90});
  ASSERT_TRUE(queue.Push(second, At(20)).ok());
  EXPECT_EQ(queue.ReadyAt(), absl::InfinitePast());
}

TEST(JobQueueTest, DropsCancelledAndExpiredAnywhereInTheQueue) {
  JobQueue queue(kLimits);
  Job served = JobOf({10});
  Job cancelled = JobOf({20});
  cancelled.cancelled = [] { return true; };
  Job expired = JobOf({30});
  expired.deadline = At(7);
  ASSERT_TRUE(queue.Push(served, At(0)).ok());
  ASSERT_TRUE(queue.Push(cancelled, At(0)).ok());
  ASSERT_TRUE(queue.Push(expired, At(0)).ok());

  const Batch batch = queue.TakeBatch(At(7));
  EXPECT_THAT(LengthsOf(batch), ElementsAre(10));
  ASSERT_THAT(batch.dropped, SizeIs(2));
  EXPECT_EQ(batch.dropped[0]->status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(batch.dropped[1]->status.code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(batch.dropped[0]->unfinished, 0u);
  EXPECT_EQ(queue.tokens(), 0u);
}

TEST(JobQueueTest, DropsOnlyTheRestOfAJobThatHasStarted) {
  JobQueue queue(kLimits);
  bool gone = false;
  Job job = JobOf({80, 80});
  job.cancelled = [&gone] { return gone; };
  ASSERT_TRUE(queue.Push(job, At(0)).ok());
  const Batch first = queue.TakeBatch(At(1));
  EXPECT_THAT(LengthsOf(first), ElementsAre(80));
  gone = true;
  const Batch second = queue.TakeBatch(At(2));
  EXPECT_THAT(second.entries, IsEmpty());
  ASSERT_THAT(second.dropped, SizeIs(1));
  EXPECT_EQ(second.dropped[0]->unfinished, 1u) << "the first part still runs";
}

TEST(JobQueueTest, QueueTimeRunsFromPushToTheFirstBatch) {
  JobQueue queue(kLimits);
  Job job = JobOf({80, 80});
  ASSERT_TRUE(queue.Push(job, At(3)).ok());
  const Batch first = queue.TakeBatch(At(10));
  queue.TakeBatch(At(40));
  EXPECT_EQ(first.entries[0].job->output.queue_time, absl::Microseconds(7));
}

// A lone caller waited for all of a long call's round, and for the batch that
// it was put into with it.
TEST(JobQueueTest, ALongCallsNextRoundLetsOthersPass) {
  JobQueue queue({.max_batch_tokens = 10, .max_queue_tokens = 100});
  const absl::Time start = absl::UnixEpoch();
  Job next = JobOf({3, 3, 3});
  next.continues = true;
  Job first = JobOf({1});
  ASSERT_TRUE(queue.Push(next, start).ok());
  ASSERT_TRUE(queue.Push(first, start + absl::Milliseconds(5)).ok());
  const Batch batch = queue.TakeBatch(start + absl::Milliseconds(5));
  EXPECT_EQ(batch.tokens, 1u) << "alone, though there is room";
  EXPECT_EQ(queue.TakeBatch(start + absl::Milliseconds(5)).tokens, 9u);

  // But not for ever.
  next = JobOf({3});
  next.continues = true;
  first = JobOf({1});
  ASSERT_TRUE(queue.Push(next, start).ok());
  const absl::Time late = start + kPatience + absl::Milliseconds(1);
  ASSERT_TRUE(queue.Push(first, late).ok());
  const Batch both = queue.TakeBatch(late);
  ASSERT_EQ(both.entries.size(), 2u);
  EXPECT_EQ(both.entries[0].job->job.sequences[0].ids.size(), 3u);
}

}  // namespace
}  // namespace deberta::server
