// What is thrown on the scheduler's threads, the want of memory first of all:
// every job is still answered, once, and the next ones succeed. A program of
// its own, as it replaces the allocator.

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/batching/scheduler.h"
#include "server/batching/task_run.h"
#include "tests/server/batching/numbers_task.h"
#include "tests/server/batching/stand_in_model.h"
#include "tests/server/failing_allocator.h"

namespace {

// Allocations number `first` to `last` fail, counted from 1 over all threads
// that are not spared.
std::atomic<int> met = 0;
std::atomic<int> first = 0;
std::atomic<int> last = 0;
thread_local bool spared = false;

void FailAllocations(int from, int to) {
  met = 0;
  first = from;
  last = to;
}

}  // namespace

bool FailsNow() {
  if (spared || last == 0) return false;
  const int number = ++met;
  return number >= first && number <= last;
}

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An answer that is waited for, taken without an allocation.
struct Receipt {
  std::function<void(absl::StatusOr<JobOutput>)> Callback() {
    return [this](absl::StatusOr<JobOutput> given) {
      output = std::move(given);
      ++answers;
      answers.notify_one();
    };
  }
  void Wait() { answers.wait(0); }

  absl::StatusOr<JobOutput> output;
  std::atomic<int> answers = 0;
};

// TenTimesId, after tasks that allocate on all threads of the batch.
absl::Status Compute(size_t queue, const model::RaggedBatch& batch,
                     const model::ForwardOptions& options,
                     model::Workspace& workspace, model::BatchOutput* output) {
  std::vector<std::vector<int>> scratch(8);
  workspace.pool().ParallelFor(
      scratch.size(), [&](size_t task, int) { scratch[task].resize(10); });
  return TenTimesId(queue, batch, options, workspace, output);
}

// One of several callers each: plain, in several batches, equal to another,
// with the best columns alone, gone.
struct Callers {
  void SubmitTo(Scheduler& scheduler) {
    Job split =
        JobWith({{1, 2}, {3, 4, 5, 6, 7, 8}, {9}}, receipts[1].Callback());
    Job best = JobWith({{1, 2}}, receipts[3].Callback());
    best.sequences[0].best = std::make_shared<const BestColumns>();
    Job gone = JobWith({{5}}, receipts[4].Callback());
    gone.cancelled = [] { return true; };
    ASSERT_TRUE(
        scheduler.Submit(0, JobWith({{1, 2}}, receipts[0].Callback())).ok());
    ASSERT_TRUE(scheduler.Submit(0, std::move(split)).ok());
    ASSERT_TRUE(
        scheduler.Submit(0, JobWith({{1, 2}}, receipts[2].Callback())).ok());
    ASSERT_TRUE(scheduler.Submit(0, std::move(best)).ok());
    ASSERT_TRUE(scheduler.Submit(0, std::move(gone)).ok());
  }

  void ExpectAnswers() {
    for (size_t i = 0; i < receipts.size(); ++i) {
      receipts[i].Wait();
      const absl::StatusOr<JobOutput>& output = receipts[i].output;
      if (absl::IsResourceExhausted(output.status())) continue;
      if (i == 4) {
        EXPECT_TRUE(absl::IsCancelled(output.status())) << output.status();
      } else if (i == 3) {
        ASSERT_TRUE(output.ok()) << output.status();
        EXPECT_THAT(output->sequences[0].columns, ElementsAre(0, 0));
      } else {
        ASSERT_TRUE(output.ok()) << output.status();
        EXPECT_THAT(output->sequences[0].values, ElementsAre(10, 20));
      }
    }
  }

  std::vector<Receipt> receipts = std::vector<Receipt>(5);
};

// A call in rounds.
struct RunningTask {
  explicit RunningTask(Scheduler& scheduler)
      : run(NumbersTask({.lengths = {2, 2, 2, 2, 2}}),
            {.submit =
                 [&scheduler](Job job) {
                   return scheduler.Submit(0, std::move(job));
                 },
             .limits = {.tokens = 4},
             .cancelled = [] { return false; }}) {}

  void Start() {
    ASSERT_TRUE(run.Start([this](const absl::Status& s) {
                     status = s;
                     ++answers;
                     answers.notify_one();
                   })
                    .ok());
  }
  void ExpectAnswer() {
    answers.wait(0);
    if (absl::IsResourceExhausted(status)) return;
    EXPECT_EQ(status, absl::OkStatus());
    EXPECT_EQ(*run.task().Finish(), Upto(5, 10));
  }

  TaskRun<NumbersTask> run;
  absl::Status status;
  std::atomic<int> answers = 0;
};

class ThrownTest : public ::testing::Test {
 protected:
  ThrownTest() { spared = true; }
  ~ThrownTest() override { FailAllocations(0, 0); }
};

TEST_F(ThrownTest, EveryJobIsAnsweredOnceWhateverAllocationFails) {
  // Only one, some, and all from then on.
  for (const int failures : {1, 3, 1'000'000}) {
    SCOPED_TRACE(failures);
    Scheduler scheduler({.threads = 3,
                         .max_batches = 2,
                         .max_threads_per_batch = 2,
                         .max_batch_tokens = 8},
                        1, Compute, IgnoreReport);
    int number = 0;
    for (bool failed = true; failed && !HasFatalFailure();) {
      ++number;
      SCOPED_TRACE(number);
      Callers callers;
      RunningTask task(scheduler);
      FailAllocations(number, number + failures - 1);
      callers.SubmitTo(scheduler);
      task.Start();
      callers.ExpectAnswers();
      task.ExpectAnswer();
      failed = met >= number;
      FailAllocations(0, 0);

      Receipt next;
      ASSERT_TRUE(scheduler.Submit(0, JobWith({{4, 2}}, next.Callback())).ok());
      next.Wait();
      ASSERT_TRUE(next.output.ok()) << next.output.status();
      EXPECT_THAT(next.output->sequences[0].values, ElementsAre(40, 20));
      for (const Receipt& receipt : callers.receipts) {
        EXPECT_EQ(receipt.answers, 1);
      }
      EXPECT_EQ(task.answers, 1);
    }
    EXPECT_GT(number, 30) << "hardly anything was allocated";
    scheduler.Drain(absl::InfiniteFuture());
    EXPECT_EQ(scheduler.queued_tokens(0), 0u);
  }
}

TEST_F(ThrownTest, AJobThatIsNotTakenForWantOfMemoryLeavesTheQueueAsItWas) {
  Gate gate;
  Scheduler scheduler({.max_queue_tokens = 10}, 1, gate.Wrap(), IgnoreReport);
  Receipt running;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, running.Callback())).ok());
  gate.WaitUntilEntered();
  std::optional<Receipt> receipt;
  int number = 0;
  for (bool accepted = false; !accepted;) {
    receipt.emplace();
    Job job = JobWith({{1, 2}, {3}}, receipt->Callback());
    ++number;
    FailAllocations(number, number);
    spared = false;
    const absl::Status status = scheduler.Submit(0, std::move(job));
    spared = true;
    FailAllocations(0, 0);
    accepted = status.ok();
    EXPECT_TRUE(accepted || absl::IsResourceExhausted(status)) << status;
    EXPECT_EQ(scheduler.queued_tokens(0), accepted ? 3u : 0u);
    EXPECT_EQ(receipt->answers, 0);
  }
  EXPECT_GT(number, 1);
  gate.Open();
  receipt->Wait();
  EXPECT_TRUE(receipt->output.ok());
}

TEST_F(ThrownTest, OtherExceptionsAreInternalErrorsOfTheirJobsAlone) {
  std::atomic<bool> throws = true;
  Scheduler scheduler(
      {.threads = 2, .max_batches = 1, .max_threads_per_batch = 2}, 1,
      [&](size_t queue, const model::RaggedBatch& batch,
          const model::ForwardOptions& options, model::Workspace& workspace,
          model::BatchOutput* output) {
        workspace.pool().ParallelFor(4, [&](size_t task, int) {
          if (throws && task == 2) throw std::runtime_error("no such thing");
        });
        return TenTimesId(queue, batch, options, workspace, output);
      },
      [](const Scheduler::BatchReport&) {
        throw std::runtime_error("report");
      });
  Receipt broken;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{1}}, broken.Callback())).ok());
  broken.Wait();
  EXPECT_TRUE(absl::IsInternal(broken.output.status()));
  EXPECT_THAT(std::string(broken.output.status().message()),
              HasSubstr("no such thing"));
  throws = false;
  std::atomic<int> called = 0;
  ASSERT_TRUE(scheduler
                  .Submit(0, JobWith({{2}},
                                     [&](absl::StatusOr<JobOutput>) {
                                       ++called;
                                       throw std::runtime_error("done");
                                     }))
                  .ok());
  Receipt next;
  ASSERT_TRUE(scheduler.Submit(0, JobWith({{3}}, next.Callback())).ok());
  next.Wait();
  EXPECT_TRUE(next.output.ok()) << next.output.status();
  scheduler.Drain(absl::InfiniteFuture());
  EXPECT_EQ(called, 1);
}

}  // namespace
}  // namespace deberta::server
