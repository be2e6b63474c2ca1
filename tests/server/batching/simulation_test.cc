// Seeded schedules over a Backlog, on a clock that the test moves: callers of
// all priorities who ask, cancel and continue, and a machine whose batches take
// about as long as predicted. Every accepted job is answered exactly once, none
// starves, none is taken after its caller has gone, batches and queues keep
// their budgets, order holds within a priority, and nearly all that is accepted
// is in time.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/batching/backlog.h"
#include "server/batching/rank.h"

namespace deberta::server {
namespace {

constexpr absl::Duration kNever = absl::InfiniteDuration();

struct Totals {
  int jobs = 0;
  int refused = 0;
  // Of those with a deadline, by priority.
  int accepted[3] = {};
  int in_time[3] = {};
};

class Simulation {
 public:
  Simulation(uint32_t seed, Totals* totals)
      : random_(seed),
        totals_(totals),
        limits_({.max_batch_tokens = 64 + Below(512),
                 .max_queue_tokens = 4096 + Below(16384),
                 .max_batch_wait = absl::Microseconds(Below(3) * 500),
                 .max_batch_seconds = 0.1}),
        queues_(1 + Below(3)),
        running_(1 + Below(3)),
        backlog_(limits_, queues_, running_.size()) {
    for (size_t queue = 0; queue < queues_; ++queue) {
      const double token = 1e-5 * static_cast<double>(1 + Below(50));
      seconds_a_token_.push_back(token);
      backlog_.SetCostModel(queue,
                            CostModel::Through(std::vector<CostModel::Sample>{
                                {.tokens = 1, .seconds = token}}));
    }
    mean_gap_ = 0.0005 * static_cast<double>(1 + Below(40));
  }

  void Run() {
    for (int arrivals = 0; arrivals < 60;) {
      const absl::Time next = now_ + Gap();
      Advance(next);
      Arrive();
      ++arrivals;
      if (Below(12) == 0) CancelOne();
    }
    // No starvation: once nobody asks any more, all is answered within the time
    // of the work, and the waits of batches.
    Advance(now_ + absl::Seconds(3600));
    EXPECT_TRUE(backlog_.empty());
    for (const Known& known : known_) {
      EXPECT_EQ(known.answers, 1) << "exactly once";
    }
    for (size_t queue = 0; queue < queues_; ++queue)
      EXPECT_EQ(backlog_.tokens(queue), 0u);
  }

 private:
  struct Known {
    std::shared_ptr<bool> cancelled = std::make_shared<bool>(false);
    absl::Time deadline;
    int answers = 0;
  };
  struct Running {
    std::optional<Batch> batch;
    size_t queue = 0;
    double left = 0;  // machine seconds
  };

  size_t Below(size_t limit) { return random_() % limit; }
  absl::Duration Gap() {
    return absl::Seconds(std::exponential_distribution(1 / mean_gap_)(random_));
  }

  void Arrive() {
    Known known;
    Job job = {.sequences = {},
               .caller = std::string(1, static_cast<char>('a' + Below(4))),
               .priority = static_cast<Priority>(Below(3)),
               .continues = Below(5) == 0};
    for (size_t n = 1 + (Below(8) == 0 ? Below(30) : 0); n > 0; --n) {
      const size_t length = 1 + Below(200);
      job.sequences.push_back(
          {.ids = std::vector<int32_t>(length, static_cast<int32_t>(Below(9))),
           .type_ids = std::vector<int32_t>(length),
           // A job names what is known of it in the row that it reads.
           .rows = {static_cast<uint32_t>(known_.size())}});
    }
    if (Below(4) != 0)
      job.deadline = now_ + absl::Milliseconds(20 + Below(1000));
    known.deadline = job.deadline;
    job.cancelled = [flag = known.cancelled] { return *flag; };
    const size_t queue = Below(queues_);
    const size_t before = backlog_.tokens(queue);
    const bool continues = job.continues;
    std::vector<std::shared_ptr<PendingJob>> dropped;
    const absl::Status status = backlog_.Submit(queue, job, now_, &dropped);
    Answer(dropped);
    ++totals_->jobs;
    if (!status.ok()) {
      EXPECT_FALSE(continues) << "an accepted call goes on";
      EXPECT_FALSE(job.sequences.empty()) << "left as it was";
      EXPECT_LE(backlog_.tokens(queue), before);
      ++totals_->refused;
      return;
    }
    if (!continues) {
      EXPECT_LE(backlog_.tokens(queue), limits_.max_queue_tokens);
    }
    known_.push_back(known);
    Lead();
  }

  void CancelOne() {
    if (!known_.empty()) *known_[Below(known_.size())].cancelled = true;
  }

  // Lets time pass until `end`: batches end, and others begin.
  void Advance(absl::Time end) {
    for (;;) {
      Lead();
      const absl::Duration next = NextEvent();
      if (now_ + next > end || next == kNever) break;
      Pass(next);
      Finish();
    }
    Pass(end - now_);
  }

  size_t Computing() const {
    return static_cast<size_t>(std::ranges::count_if(
        running_, [](const Running& r) { return r.batch.has_value(); }));
  }

  absl::Duration NextEvent() const {
    absl::Duration next = kNever;
    for (const Running& running : running_) {
      if (!running.batch.has_value()) continue;
      next = std::min(
          next, absl::Seconds(running.left * static_cast<double>(Computing())) +
                    absl::Nanoseconds(1));
    }
    if (Computing() < running_.size()) {
      next = std::min(
          next, std::max(backlog_.ReadyAt() - now_, absl::ZeroDuration()));
    }
    return next;
  }

  void Pass(absl::Duration time) {
    const double each = absl::ToDoubleSeconds(time) /
                        static_cast<double>(std::max<size_t>(1, Computing()));
    for (Running& running : running_) running.left -= each;
    now_ += time;
  }

  // Takes batches for the slots that are free.
  void Lead() {
    for (size_t slot = 0; slot < running_.size(); ++slot) {
      Running& running = running_[slot];
      if (running.batch.has_value()) continue;
      const std::optional<size_t> queue = backlog_.ReadyQueue(now_, false);
      if (!queue.has_value()) return;
      running.batch = backlog_.TakeBatch(*queue, slot, now_);
      running.queue = *queue;
      running.left = static_cast<double>(running.batch->cost) *
                     seconds_a_token_[*queue] *
                     (0.8 + 0.4 * static_cast<double>(Below(1000)) / 1000);
      Check(*running.batch);
      Answer(running.batch->dropped);
    }
  }

  void Check(const Batch& batch) {
    if (batch.inputs > 1) {
      EXPECT_LE(batch.cost, limits_.max_batch_tokens);
      EXPECT_LE(batch.seconds, limits_.max_batch_seconds + 1e-9);
    }
    EXPECT_TRUE(!batch.entries.empty() || !batch.dropped.empty());
    const PendingJob* last = nullptr;
    for (const Batch::Entry& entry : batch.entries) {
      const PendingJob& pending = *entry.job;
      EXPECT_FALSE(*KnownOf(pending).cancelled);
      EXPECT_GT(pending.job.deadline, now_);
      if (last != nullptr && last != &pending &&
          last->job.caller == pending.job.caller &&
          last->job.priority == pending.job.priority &&
          last->job.continues == pending.job.continues &&
          now_ - last->arrival < kAgeing && now_ - pending.arrival < kAgeing &&
          !pending.job.continues) {
        EXPECT_LE(last->job.deadline, pending.job.deadline);
      }
      last = &pending;
    }
  }

  void Finish() {
    for (size_t slot = 0; slot < running_.size(); ++slot) {
      Running& running = running_[slot];
      if (!running.batch.has_value() || running.left > 0) continue;
      backlog_.Computed(running.queue, slot, now_, true);
      for (const Batch::Entry& entry : running.batch->entries) {
        if (--entry.job->unfinished == 0) Answer({entry.job});
      }
      backlog_.Answered(running.queue);
      running.batch.reset();
    }
  }

  void Answer(const std::vector<std::shared_ptr<PendingJob>>& jobs) {
    for (const std::shared_ptr<PendingJob>& job : jobs) {
      if (job->unfinished > 0) continue;  // a part of it still runs
      Known& known = KnownOf(*job);
      ++known.answers;
      if (known.deadline == absl::InfiniteFuture() || *known.cancelled ||
          job->job.continues) {
        continue;
      }
      const auto priority = static_cast<size_t>(job->job.priority);
      ++totals_->accepted[priority];
      if (job->status.ok() && now_ <= known.deadline)
        ++totals_->in_time[priority];
    }
  }

  Known& KnownOf(const PendingJob& pending) {
    return known_[pending.job.sequences[0].rows[0]];
  }

  std::mt19937 random_;
  Totals* const totals_;
  const JobQueue::Limits limits_;
  const size_t queues_;
  std::vector<Running> running_;  // [slots]
  Backlog backlog_;
  std::vector<double> seconds_a_token_;  // [queues]
  double mean_gap_ = 0;                  // seconds
  absl::Time now_ = absl::UnixEpoch();
  std::vector<Known> known_;
};

TEST(SimulationTest, TenThousandSeeds) {
  Totals totals;
  for (uint32_t seed = 0; seed < 10'000 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Simulation(seed, &totals).Run();
  }
  EXPECT_GT(totals.refused, totals.jobs / 20) << "overload was simulated";
  // Who comes later with a better priority goes first, which nobody predicts.
  const double least[] = {0.97, 0.88, 0.8};
  for (size_t priority = 0; priority < 3; ++priority) {
    EXPECT_GT(totals.in_time[priority],
              totals.accepted[priority] * least[priority])
        << "priority " << priority;
    RecordProperty("percent_in_time_" + std::to_string(priority),
                   100 * totals.in_time[priority] / totals.accepted[priority]);
  }
}

}  // namespace
}  // namespace deberta::server
