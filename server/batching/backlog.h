// All that waits and runs, of every model: who is let in, what runs next, and
// when it will be done.
//
// The scheduler without its threads: time is a parameter. Not thread-safe. A
// method that throws, for want of memory, leaves everything as it was.

#ifndef SERVER_BATCHING_BACKLOG_H_
#define SERVER_BATCHING_BACKLOG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/batching/caller_shares.h"
#include "server/batching/cost_model.h"
#include "server/batching/job.h"
#include "server/batching/job_queue.h"

namespace deberta::server {

// The reason of a refusal for what goes before the job.
inline constexpr char kLateReason[] = "PREDICTED_LATE";

// A job that asks to be let in.
struct Asking {
  std::string_view caller;
  Priority priority = Priority::kNormal;
  absl::Time deadline = absl::InfiniteFuture();
  size_t tokens = 0;  // of work
};

class Backlog {
 public:
  // `slots`: batches computed at once.
  Backlog(JobQueue::Limits limits, size_t queues, size_t slots);

  // A new, empty queue; its number until it is removed.
  size_t AddQueue();
  // No job may be submitted to it any more. Its number is given again once
  // nothing waits or runs under it.
  void RemoveQueue(size_t queue);
  void SetCostModel(size_t queue, const CostModel& model) {
    queues_[queue].cost_model() = model;
  }
  // So many batches at most are computed at once from now on, and everything
  // takes `times` as long as before.
  void SetMachine(size_t most_batches, double times);

  // Accepts the job, or refuses it, as Scheduler::Submit() says, and leaves it
  // as it was. Jobs that were dropped to make room are added to `dropped`.
  absl::Status Submit(size_t queue, Job& job, absl::Time now,
                      std::vector<std::shared_ptr<PendingJob>>* dropped);

  // Whether a job of at least so many tokens would be refused now.
  absl::Status Check(size_t queue, const Asking& asking, absl::Time now) const;

  // When the first queue has a batch to take; InfiniteFuture if nothing waits.
  absl::Time ReadyAt() const;
  // The queue to serve now, by the rank of its first job, of those that are
  // ready or, if `even_unready`, of all; none if there is no such.
  std::optional<size_t> ReadyQueue(absl::Time now, bool even_unready) const;
  // Takes the queue's next batch, as JobQueue::TakeBatch(), to be computed in
  // the slot, which is free.
  Batch TakeBatch(size_t queue, size_t slot, absl::Time now);
  // For want of memory the slot computes an empty batch instead.
  void TakeNothing(size_t queue, size_t slot, absl::Time now);
  // The slot's batch of the queue was computed, whole or not.
  void Computed(size_t queue, size_t slot, absl::Time now, bool whole);
  // Its jobs have been answered.
  void Answered(size_t queue) { --queues_running_[queue]; }

  // See JobQueue::TakeFirst(): of the first queue that has one.
  std::shared_ptr<PendingJob> TakeFirst(const absl::Status& status);
  std::shared_ptr<PendingJob> TakeFirstOf(size_t queue,
                                          const absl::Status& status) {
    return queues_[queue].TakeFirst(status);
  }

  bool empty() const;  // nothing waits
  size_t tokens(size_t queue) const { return queues_[queue].tokens(); }
  double seconds(size_t queue) const { return queues_[queue].seconds(); }

 private:
  struct Slot {
    bool computing = false;
    double predicted = 0;  // machine seconds
    double started = 0;    // on the machine's clock
  };

  // JobQueue::Push() of what CheckPart() lets in. `asking` is of the job.
  absl::Status Push(size_t queue, const Asking& asking, Job& job,
                    absl::Time now);
  // ResourceExhausted if the caller has more than its part of the queue: of
  // what it leaves free, a multiple, so that there is room for who has less.
  absl::Status CheckPart(size_t queue, const Asking& asking) const;
  // Whether the job, which takes so many seconds, would be late.
  absl::Status CheckDeadline(size_t queue, const Asking& asking, double seconds,
                             absl::Time now) const;
  bool Idle() const;  // nothing waits or is computed
  // How long the job takes, others beside it, once it is its turn.
  double OwnSeconds(const JobQueue& queue, double seconds, double ahead) const;
  // What jobs of better priorities have had of the machine of late.
  double ShareOfBetter(Priority priority) const;
  // What is left of the batches that are computed. Machine seconds.
  double RunningSeconds() const;
  size_t Computing() const;
  // Brings the machine's clock to `now`, before another number of batches is
  // computed.
  void AdvanceMachine(absl::Time now);

  const JobQueue::Limits limits_;
  const std::shared_ptr<CallerShares> shares_;
  std::vector<JobQueue> queues_;
  std::vector<size_t> queues_running_;  // batches that are not Answered()
  std::vector<bool> queues_removed_;
  std::vector<Slot> slots_;
  size_t most_batches_;                // of the slots
  std::array<double, 3> served_ = {};  // of late, by Priority: machine seconds
  // A clock that runs at 1 / N while N batches do: what each has had of the
  // machine.
  double machine_seconds_ = 0;
  absl::Time machine_at_ = absl::InfinitePast();
  mutable uint64_t predictions_ = 0;
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_BACKLOG_H_
