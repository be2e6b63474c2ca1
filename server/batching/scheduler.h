// Queues of jobs, one a model, and the threads that run them in packed batches.
//
// Requests of different callers share a batch. A job whose caller has gone or
// whose deadline has passed is dropped, before it is computed or between two
// layers. Every accepted job's `done` is called exactly once, on a thread of
// the scheduler, or on the one whose Submit or Drain drops it. Each of the
// scheduler's threads leads a batch, helps with another's (teams.h), or sleeps.
//
// What is thrown on the way, for want of memory or otherwise, is the status of
// the jobs concerned, ResourceExhausted or Internal; the others and the
// scheduler go on. To answer a job takes no memory.
//
// What goes first is one order over all queues (rank.h): priority, the callers'
// shares, deadlines. A job that would not be computed before its deadline, as
// its queue's cost model predicts, is refused.
//
// Deadlines are those of Options::now: by default of SteadyNow().

#ifndef SERVER_BATCHING_SCHEDULER_H_
#define SERVER_BATCHING_SCHEDULER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/observers.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/batching/backlog.h"
#include "server/batching/cost_model.h"
#include "server/batching/job.h"
#include "server/batching/teams.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

class Scheduler {
 public:
  struct Options {
    int threads = 1;       // at least 1
    int most_threads = 1;  // that SetMachine() may ask for; not below `threads`
    int max_batches = 1;   // computed at once
    // Threads that compute one batch, its leader included.
    int max_threads_per_batch = 1;
    // Most tokens of one batch; a longer sequence runs alone. As all limits, in
    // tokens of work: SequenceInput::cost().
    size_t max_batch_tokens = 1024;
    // How long a batch with room waits for companions after its first job
    // arrived; zero takes what is there as soon as a thread is free.
    absl::Duration max_batch_wait = absl::ZeroDuration();
    // Most tokens that wait in one model's queue, but for those of accepted
    // calls that continue.
    size_t max_queue_tokens = 32768;
    // Most machine seconds of a batch of several inputs, as predicted: what
    // comes meanwhile waits for it.
    double max_batch_seconds = 0.02;
    // But no fewer tokens than a batch needs for full speed.
    size_t min_batch_tokens = 128;
    // Injected so that tests decide what time it is.
    std::function<absl::Time()> now = SteadyNow;
  };

  // Runs one batch of queue `queue`, as model::Model::Forward does, in a
  // workspace that is its own meanwhile and whose pool other threads may help.
  // Sequences that `still_wanted` gives up may have any output.
  using RunBatch = std::function<absl::Status(
      size_t queue, const model::RaggedBatch& batch,
      const model::ForwardOptions& options, model::Workspace& workspace,
      model::BatchOutput* output)>;

  // Told of every batch that ran, from its leader's thread, before the `done`s
  // of the jobs that it finishes. Sequences that are given up on the way count.
  struct BatchReport {
    size_t queue = 0;
    size_t sequences = 0;  // equal ones once
    size_t tokens = 0;     // of these
    absl::Duration compute_time;
  };
  using BatchObserver = std::function<void(const BatchReport&)>;

  // Starts the threads, with `queues` queues, numbered from 0.
  Scheduler(Options options, size_t queues, RunBatch run_batch,
            BatchObserver observer);
  // Drains without waiting for queued jobs.
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // See Backlog.
  size_t AddQueue();
  void RemoveQueue(size_t queue);
  // By which the queue's work is predicted, and corrected by what it takes;
  // without, nothing is refused for its deadline.
  void SetCostModel(size_t queue, const CostModel& model);
  // From now on so many threads compute, as soon as what they do now is done,
  // at least 1 and at most `most_threads`; and all is predicted to take `times`
  // as long as before.
  void SetMachine(int threads, double times);

  // Accepts the job, or refuses it without calling `done`:
  //   ResourceExhausted  the queue is full, of jobs that somebody waits for,
  //                      or there is no memory for one more; or the job would
  //                      be late for what goes before it (kLateReason). With
  //                      the delay after which there may be room
  //   DeadlineExceeded   it would be late if nothing else were
  //   InvalidArgument    the job alone is larger than the queue
  //   Unavailable        draining; for a job that continues another, when the
  //                      drain is over
  absl::Status Submit(size_t queue, Job job);

  // Submit()'s refusal of a job of so many tokens at least, if it can be told
  // before they are known.
  absl::Status Check(size_t queue, const Asking& asking) const;

  // Tokens that one call should have in a queue at a time: two batches for each
  // that may run at once, but no more than a quarter of the queue, or one
  // batch.
  size_t round_tokens() const;
  size_t max_queue_tokens() const { return options_.max_queue_tokens; }

  // Refuses new jobs, runs the accepted ones, and those that continue them,
  // until `deadline`, answers what is left then with Unavailable, and joins the
  // threads. A batch that is running
  // at the deadline is finished. May be called again.
  void Drain(absl::Time deadline);

  // Tokens of work waiting in one queue.
  size_t queued_tokens(size_t queue) const;
  // Predicted machine seconds of the work that waits in one queue.
  double queued_seconds(size_t queue) const;

 private:
  // What a thread does next, on one of the teams.
  struct Duty {
    size_t team = 0;
    // A batch of `queue` to lead, else to help until this session ends.
    std::optional<Batch> batch = {};
    size_t queue = 0;
    uint32_t session = 0;
    // The job for whose batch there was no memory; its answer is owed.
    std::shared_ptr<PendingJob> failed = nullptr;
  };

  size_t most_batches() const;  // at once
  void RunThread(int thread);
  // Waits for something to do; none once the scheduler stops.
  std::optional<Duty> WaitForDuty(int thread);
  // A batch to lead; else none, and in `*look_again` how long until there may
  // be one.
  std::optional<Duty> TakeBatch(int thread, absl::Duration* look_again)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the queue's next batch, or for want of memory its first job, failed.
  Duty TakeBatchOf(size_t queue, size_t team, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Duty> JoinTeam() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LeaveTeam(const Duty& duty);
  // Lets threads that sleep look for something to do, if there is anything, or
  // calls one that helps to a batch that has no other, as soon as that is
  // ready.
  void WakeOthers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether a thread that helps should go and lead: of all who ask, one.
  bool Called();
  // What came of a batch: a result for each entry, or why there is none.
  using Results = absl::StatusOr<std::vector<absl::StatusOr<SequenceOutput>>>;

  void Lead(Duty& duty);
  Results Run(const Duty& duty);
  // Leaves the team to the next batch, and hands results to the jobs of this
  // one. Those that are complete go to `duty.batch->complete`.
  void Record(Duty& duty, Results& results, absl::Duration elapsed);
  // The first job that waits anywhere, as JobQueue::TakeFirst gives it.
  std::shared_ptr<PendingJob> TakeFirst(const absl::Status& status);
  bool Idle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const RunBatch run_batch_;
  const BatchObserver observer_;

  std::vector<std::unique_ptr<model::Workspace>> workspaces_;  // one a team

  mutable Mutex mutex_;
  CondVar work_arrived_;
  CondVar threads_changed_;      // those that rest wait for it
  std::atomic<int> active_ = 0;  // threads that compute; changed under mutex_
  // From when on one of those who help is called to a batch that waits, in
  // nanoseconds of absl::ToUnixNanos; kNever: none is.
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> call_at_ = kNever;
  CondVar work_finished_;
  Backlog backlog_ ABSL_GUARDED_BY(mutex_);
  std::vector<Team> teams_ ABSL_GUARDED_BY(mutex_);  // [max_batches]
  int sleeping_ ABSL_GUARDED_BY(mutex_) = 0;         // of the active threads
  size_t running_batches_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // Grows under mutex_, until stopping_.
  std::vector<std::thread> threads_;
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_SCHEDULER_H_
