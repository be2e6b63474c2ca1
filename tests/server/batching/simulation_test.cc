// Seeded arrivals, cancellations and deadlines over a JobQueue on a clock that
// the test moves: no job is lost, computed after it has gone, starved or put
// into a batch beyond the budget.

#include <cstddef>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "server/batching/job_queue.h"

namespace deberta::server {
namespace {

struct Caller {
  bool cancelled = false;
  absl::Time arrival;
  absl::Time deadline = absl::InfiniteFuture();
  size_t sequences = 0;
  size_t taken = 0;
  bool dropped = false;
};

class Simulation {
 public:
  explicit Simulation(uint32_t seed)
      : random_(seed),
        limits_({.max_batch_tokens = 8 + random_() % 120,
                 .max_queue_tokens = 64 + random_() % 512,
                 .max_batch_wait = absl::Microseconds(random_() % 3 * 20)}),
        queue_(limits_) {}

  void Run() {
    for (int step = 0; step < 300; ++step) {
      now_ += absl::Microseconds(random_() % 30);
      if (random_() % 3 != 0) Arrive();
      if (random_() % 8 == 0) CancelOne();
      if (queue_.ReadyAt() <= now_) Take();
    }
    now_ += absl::Seconds(1);
    while (!queue_.empty()) Take();
    for (const std::shared_ptr<Caller>& caller : accepted_)
      EXPECT_TRUE(caller->dropped || caller->taken == caller->sequences);
    EXPECT_EQ(queue_.tokens(), 0u);
  }

 private:
  void Arrive() {
    auto caller = std::make_shared<Caller>();
    caller->arrival = now_;
    Job job;
    for (size_t n = 1 + random_() % 3; n > 0; --n) {
      const size_t length = 1 + random_() % 60;
      job.sequences.push_back(
          {.ids = std::vector<int32_t>(length,
                                       static_cast<int32_t>(random_() % 8)),
           .type_ids = std::vector<int32_t>(length),
           .rows = {static_cast<uint32_t>(accepted_.size())}});
    }
    caller->sequences = job.sequences.size();
    if (random_() % 3 == 0) {
      caller->deadline = now_ + absl::Microseconds(random_() % 200);
      job.deadline = caller->deadline;
    }
    job.cancelled = [caller] { return caller->cancelled; };
    const size_t before = queue_.tokens();
    if (queue_.Push(job, now_).ok()) {
      EXPECT_LE(queue_.tokens(), limits_.max_queue_tokens);
      accepted_.push_back(caller);
    } else {
      EXPECT_EQ(queue_.tokens(), before);
    }
  }

  void CancelOne() {
    if (accepted_.empty()) return;
    accepted_[random_() % accepted_.size()]->cancelled = true;
  }

  void Take() {
    const Batch batch = queue_.TakeBatch(now_);
    absl::Time previous = absl::InfinitePast();
    for (const Batch::Entry& entry : batch.entries) {
      Caller& caller = CallerOf(*entry.job);
      EXPECT_FALSE(caller.cancelled);
      EXPECT_GT(caller.deadline, now_);
      EXPECT_EQ(entry.sequence, caller.taken++) << "in order, each once";
      EXPECT_GE(caller.arrival, previous) << "first come, first served";
      previous = caller.arrival;
    }
    if (batch.inputs > 1) {
      EXPECT_LE(batch.tokens, limits_.max_batch_tokens);
    }
    for (const std::shared_ptr<PendingJob>& job : batch.dropped) {
      Caller& caller = CallerOf(*job);
      EXPECT_TRUE(caller.cancelled || caller.deadline <= now_);
      EXPECT_FALSE(caller.dropped);
      caller.dropped = true;
    }
    EXPECT_TRUE(!batch.entries.empty() || !batch.dropped.empty());
  }

  // A job names its caller in the row it reads.
  Caller& CallerOf(const PendingJob& pending) {
    return *accepted_[pending.job.sequences[0].rows[0]];
  }

  std::mt19937 random_;
  const JobQueue::Limits limits_;
  JobQueue queue_;
  absl::Time now_ = absl::UnixEpoch();
  std::vector<std::shared_ptr<Caller>> accepted_;
};

TEST(SimulationTest, TwoThousandSeeds) {
  for (uint32_t seed = 0; seed < 2000 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Simulation(seed).Run();
  }
}

}  // namespace
}  // namespace deberta::server
