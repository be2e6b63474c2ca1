// The waiting jobs of one model, and the pure rule that makes batches of them.
//
// No threads, no clock: time is a parameter. Not thread-safe. A method that
// throws, for want of memory, leaves the queue as it was.

#ifndef SERVER_BATCHING_JOB_QUEUE_H_
#define SERVER_BATCHING_JOB_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/batching/caller_shares.h"
#include "server/batching/cost_model.h"
#include "server/batching/job.h"
#include "server/batching/rank.h"

namespace deberta::server {

class JobQueue {
 public:
  struct Limits {
    // In tokens of work: SequenceInput::cost().
    size_t max_batch_tokens = 0;
    size_t max_queue_tokens = 0;
    absl::Duration max_batch_wait = absl::ZeroDuration();
    // Of a batch of several inputs, as predicted: machine seconds.
    double max_batch_seconds = std::numeric_limits<double>::infinity();
    // For its time a batch is not made smaller than this, in tokens of work.
    size_t min_batch_tokens = 0;
  };

  // A job of which something waits, and what its rank depends on.
  struct Waiting {
    std::shared_ptr<PendingJob> pending;
    uint64_t order = 0;
    double seconds = 0;        // of what waits of it, as predicted
    double later_seconds = 0;  // of the jobs that will continue it
    // Copied here: predictions look at every one.
    CallerShares::Account* account = nullptr;
    absl::Time arrival;
    absl::Time deadline;
    Priority priority = Priority::kNormal;
    bool continues = false;

    int LevelAt(absl::Time now) const {
      return LevelOf(priority, continues, arrival,
                     account->served_at[static_cast<size_t>(priority)], now);
    }
  };

  // Queues that share callers' time have the same `shares`.
  explicit JobQueue(Limits limits, std::shared_ptr<CallerShares> shares =
                                       std::make_shared<CallerShares>())
      : limits_(limits), shares_(std::move(shares)) {}

  // ResourceExhausted if the queue is full, InvalidArgument if the job could
  // never fit; neither of a job that continues another. On error the job is
  // left as it was.
  absl::Status Push(Job& job, absl::Time now);

  // Takes sequences, in the order of Rank, until the next would exceed
  // max_batch_tokens or max_batch_seconds; a longer one runs alone. One that
  // equals another of the batch adds the head's work alone. What can wait does
  // not make a batch longer for what cannot. First drops what DropGone() does,
  // so the batch may be empty.
  Batch TakeBatch(absl::Time now);

  // Drops every job of the queue that is cancelled, past its deadline, or not
  // to be computed before it even if nothing else were, as for Batch::dropped.
  std::vector<std::shared_ptr<PendingJob>> DropGone(absl::Time now);

  // When a batch should be taken: InfiniteFuture if nothing waits, InfinitePast
  // if max_batch_tokens wait, else when the oldest job has waited
  // max_batch_wait.
  absl::Time ReadyAt() const;

  // The rank of what TakeBatch() would take first; none if nothing waits.
  std::optional<Rank> First(absl::Time now) const;

  // Removes the first job that waits and gives it `status`, as for `dropped`;
  // null if none waits. Allocates nothing.
  std::shared_ptr<PendingJob> TakeFirst(const absl::Status& status);

  bool empty() const { return waiting_.empty(); }
  // The work that waits.
  size_t tokens() const { return tokens_; }
  double seconds() const;
  const std::deque<Waiting>& waiting() const { return waiting_; }

  CostModel& cost_model() { return cost_model_; }
  const CostModel& cost_model() const { return cost_model_; }
  // Machine seconds of the job, and of those that will continue it.
  double SecondsOf(const Job& job) const;
  double LaterSecondsOf(const Job& job) const {
    return cost_model_.SecondsOfTokens(job.later_tokens);
  }

 private:
  // What the next batch takes of a job that waits.
  struct Part {
    size_t sequences = 0;
    size_t tokens = 0;   // of work
    double seconds = 0;  // of these
    double served = 0;   // of what is computed for them
  };

  absl::Status CheckRoom(size_t tokens, size_t cost) const;
  // Lists what the next batch takes, and how much of each of waiting_.
  void PlanBatch(absl::Time now, Batch* batch, std::vector<Part>* parts) const;
  // Its work does not wait any more.
  void Remove(Waiting& waiting);

  Limits limits_;
  std::shared_ptr<CallerShares> shares_;
  CostModel cost_model_;
  std::deque<Waiting> waiting_;  // in order of arrival
  size_t tokens_ = 0;            // work of sequences not yet taken
  uint64_t jobs_ = 0;            // that ever came
  uint64_t batches_ = 0;         // that were ever taken
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_JOB_QUEUE_H_
