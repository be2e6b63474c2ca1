// What callers give the scheduler: sequences to compute, for whom, until when.

#ifndef SERVER_BATCHING_JOB_H_
#define SERVER_BATCHING_JOB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/priority.h"
#include "server/batching/caller_shares.h"
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
  // With whom the call shares: all calls of one caller have one share.
  std::string caller = {};
  Priority priority = Priority::kNormal;
  // Of the call, in jobs that will continue this one: tokens, about.
  size_t later_tokens = 0;
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
  std::shared_ptr<CallerShares::Account> account;
  size_t next_sequence = 0;  // the first not yet taken
  size_t unfinished = 0;     // sequences without a result
  bool started = false;
  uint64_t last_batch = 0;  // Batch::number of the last that is in `output`
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
  size_t tokens = 0;    // of the inputs
  size_t cost = 0;      // SequenceInput::cost(), in tokens, of what is computed
  double seconds = 0;   // that it takes, as predicted: see CostModel
  uint64_t number = 0;  // from 1, of the queue
  // Jobs that were found cancelled or expired; their status is set, and their
  // `done` is owed unless another batch still runs a part of them.
  std::vector<std::shared_ptr<PendingJob>> dropped;
  // Empty, with room for the job of each entry: to answer those that this
  // batch completes must take no memory.
  std::vector<std::shared_ptr<PendingJob>> complete;
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_JOB_H_
