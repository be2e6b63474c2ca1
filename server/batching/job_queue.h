// The waiting jobs of one model, and the pure rule that makes batches of them.
//
// No threads, no clock: time is a parameter. Not thread-safe. A method that
// throws, for want of memory, leaves the queue as it was.

#ifndef SERVER_BATCHING_JOB_QUEUE_H_
#define SERVER_BATCHING_JOB_QUEUE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

// What a finished job gets back.
struct JobOutput {
  std::vector<SequenceOutput> sequences;  // parallel to Job::sequences
  absl::Duration queue_time;              // from Submit to the first batch
  absl::Duration compute_time;            // sum over the job's batches
  // Of the largest batch that the job was part of, equal sequences once.
  size_t batch_sequences = 0;
  size_t batch_tokens = 0;
};

struct Job {
  std::vector<SequenceInput> sequences;  // never empty
  absl::Time deadline = absl::InfiniteFuture();
  // More of a call that was accepted before: there is room for it whatever
  // waits, and while the scheduler drains.
  bool continues = false;
  // Whether the caller has gone; asked from any thread until it has.
  std::function<bool()> cancelled = nullptr;
  // Called exactly once for an accepted job: the output, Cancelled,
  // DeadlineExceeded, Unavailable (drain) or the batch's error.
  std::function<void(absl::StatusOr<JobOutput>)> done = nullptr;
};

// An accepted job and what has been computed of it. Sequences of one job may
// run in several batches, and those on several workers.
struct PendingJob {
  Job job;
  JobOutput output;
  absl::Status status;
  absl::Time arrival;
  // Its place in the queue: the arrival, and kPatience later for a job that
  // continues another.
  absl::Time due;
  size_t next_sequence = 0;  // the first not yet taken
  size_t unfinished = 0;     // sequences without a result
  bool started = false;
};

// Why nobody waits any more; OK while somebody does.
absl::Status Gone(bool cancelled, absl::Time deadline, absl::Time now);
absl::Status Gone(const Job& job, absl::Time now);

// Sequences to run together. Equal ones, whoever sent them, are one input and
// computed once.
struct Batch {
  struct Entry {
    std::shared_ptr<PendingJob> job;
    size_t sequence = 0;  // of the job
    size_t input = 0;     // below `inputs`, numbered as they first appear
  };
  std::vector<Entry> entries;
  size_t inputs = 0;
  size_t tokens = 0;  // of the inputs
  size_t cost = 0;    // SequenceInput::cost(), in tokens, of what is computed
  // Jobs that were found cancelled or expired; their status is set, and their
  // `done` is owed unless another batch still runs a part of them.
  std::vector<std::shared_ptr<PendingJob>> dropped;
  // Empty, with room for the job of each entry: to answer those that this
  // batch completes must take no memory.
  std::vector<std::shared_ptr<PendingJob>> complete;
};

class JobQueue {
 public:
  // How much later than it came a long call's next round counts as having come:
  // other calls need not wait for it, unless it has waited for them so long.
  static constexpr absl::Duration kPatience = absl::Seconds(1);

  // In tokens of work: SequenceInput::cost().
  struct Limits {
    size_t max_batch_tokens = 0;
    size_t max_queue_tokens = 0;
    absl::Duration max_batch_wait = absl::ZeroDuration();
  };

  explicit JobQueue(Limits limits) : limits_(limits) {}

  // ResourceExhausted if the queue is full, InvalidArgument if the job could
  // never fit; neither of a job that continues another. On error the job is
  // left as it was.
  absl::Status Push(Job& job, absl::Time now);

  // Takes sequences in order of their jobs' being due until the next would
  // exceed max_batch_tokens; a longer one runs alone. One that equals another
  // of the batch adds the head's work alone. First drops every job of the queue
  // that is cancelled or past its deadline, so the batch may be empty.
  Batch TakeBatch(absl::Time now);

  // Drops every job of the queue that is cancelled or past its deadline, as for
  // Batch::dropped.
  std::vector<std::shared_ptr<PendingJob>> DropGone(absl::Time now);

  // When a batch should be taken: InfiniteFuture if nothing waits, InfinitePast
  // if max_batch_tokens wait, else when the oldest job has waited
  // max_batch_wait.
  absl::Time ReadyAt() const;

  // Removes the first job that waits and gives it `status`, as for `dropped`;
  // null if none waits. Allocates nothing.
  std::shared_ptr<PendingJob> TakeFirst(const absl::Status& status);

  bool empty() const { return jobs_.empty(); }
  absl::Time first_due() const;  // InfiniteFuture if empty
  // The work that waits.
  size_t tokens() const { return tokens_; }

 private:
  absl::Status CheckRoom(size_t tokens, size_t cost) const;
  // Lists what the next batch takes.
  void PlanBatch(absl::Time now, Batch* batch) const;

  Limits limits_;
  std::deque<std::shared_ptr<PendingJob>> jobs_;
  size_t tokens_ = 0;  // work of sequences not yet taken
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_JOB_QUEUE_H_
