// Queues of jobs, one a model, and the workers that run them in packed batches.
//
// Requests of different callers share a batch. A job whose caller has gone or
// whose deadline has passed is dropped before it is computed. Every accepted
// job's `done` is called exactly once, on a worker's thread.

#ifndef SERVER_BATCHING_SCHEDULER_H_
#define SERVER_BATCHING_SCHEDULER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/batch.h"
#include "server/batching/job_queue.h"
#include "server/mutex.h"
#include "server/tasks/task.h"

namespace deberta::server {

class Scheduler {
 public:
  struct Options {
    int workers = 1;
    // Most tokens of one batch; a longer sequence runs alone.
    size_t max_batch_tokens = 1024;
    // How long a batch with room waits for companions after its first job
    // arrived; zero takes what is there as soon as a worker is free.
    absl::Duration max_batch_wait = absl::ZeroDuration();
    // Most tokens that wait in one model's queue.
    size_t max_queue_tokens = 32768;
    // Injected so that tests decide what time it is.
    std::function<absl::Time()> now = [] { return absl::Now(); };
  };

  // Runs one batch of queue `queue` on worker `worker`; called by one thread a
  // worker.
  using RunBatch = std::function<absl::Status(size_t queue, int worker,
                                              const model::RaggedBatch& batch,
                                              model::BatchOutput* output)>;

  // Told of every batch that ran, from the worker's thread, before the `done`s
  // of the jobs that it finishes.
  struct BatchReport {
    size_t queue = 0;
    size_t sequences = 0;
    size_t tokens = 0;
    absl::Duration compute_time;
  };
  using BatchObserver = std::function<void(const BatchReport&)>;

  // Starts the workers.
  Scheduler(Options options, size_t queues, RunBatch run_batch,
            BatchObserver observer);
  // Drains without waiting for queued jobs.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Accepts the job, or refuses it without calling `done`:
  //   ResourceExhausted  the queue is full
  //   InvalidArgument    the job alone is larger than the queue
  //   Unavailable        draining
  absl::Status Submit(size_t queue, Job job);

  // Refuses new jobs, runs the accepted ones until `deadline`, answers what is
  // left then with Unavailable, and joins the workers. A batch that is running
  // at the deadline is finished. May be called again.
  void Drain(absl::Time deadline);

  // Tokens waiting in one queue.
  size_t queued_tokens(size_t queue) const;
  // Predicted seconds of work in front of a new job of this queue: its waiting
  // tokens at the speed of its recent batches. 0 before the first batch.
  double queued_seconds(size_t queue) const;

 private:
  struct Taken {
    size_t queue = 0;
    Batch batch;
  };

  void WorkerLoop(int worker);
  // Waits for a batch; none once the scheduler stops.
  std::optional<Taken> WaitForBatch();
  // The queue to serve now, the longest waiting first; else none, and in
  // `*look_again` how long until one may be ready.
  std::optional<size_t> ReadyQueue(absl::Time now,
                                   absl::Duration* look_again) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run(int worker, const Taken& taken);
  // Hands results to the jobs of a batch; returns those that are complete.
  std::vector<std::shared_ptr<PendingJob>> Record(
      const Taken& taken, const absl::Status& status,
      const model::BatchOutput& output, absl::Time started,
      absl::Time finished);
  bool Idle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const RunBatch run_batch_;
  const BatchObserver observer_;

  mutable Mutex mutex_;
  CondVar work_arrived_;
  CondVar work_finished_;
  std::vector<JobQueue> queues_ ABSL_GUARDED_BY(mutex_);
  std::vector<double> tokens_per_second_ ABSL_GUARDED_BY(mutex_);
  size_t running_batches_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::vector<std::thread> threads_;
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_SCHEDULER_H_
