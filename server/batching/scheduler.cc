#include "server/batching/scheduler.h"

#include <algorithm>
#include <utility>

#include "server/batching/packing.h"

namespace deberta::server {
namespace {

// Weight of the newest batch in the running estimate of a queue's speed.
constexpr double kSpeedSmoothing = 0.2;

void Finish(std::span<const std::shared_ptr<PendingJob>> jobs) {
  for (const std::shared_ptr<PendingJob>& pending : jobs) {
    // Moved out first: the callback may hold the last reference to things that
    // point back here.
    auto done = std::move(pending->job.done);
    if (pending->status.ok()) {
      done(std::move(pending->output));
    } else {
      done(pending->status);
    }
  }
}

// Leaves the jobs of which no part is running any more.
void KeepComplete(std::vector<std::shared_ptr<PendingJob>>& jobs) {
  std::erase_if(jobs, [](const auto& job) { return job->unfinished > 0; });
}

}  // namespace

Scheduler::Scheduler(Options options, size_t queues, RunBatch run_batch,
                     BatchObserver observer)
    : options_(std::move(options)),
      run_batch_(std::move(run_batch)),
      observer_(std::move(observer)),
      queues_(queues, JobQueue({.max_batch_tokens = options_.max_batch_tokens,
                                .max_queue_tokens = options_.max_queue_tokens,
                                .max_batch_wait = options_.max_batch_wait})),
      tokens_per_second_(queues, 0.0) {
  threads_.reserve(static_cast<size_t>(options_.workers));
  for (int worker = 0; worker < options_.workers; ++worker)
    threads_.emplace_back([this, worker] { WorkerLoop(worker); });
}

Scheduler::~Scheduler() { Drain(absl::InfinitePast()); }

absl::Status Scheduler::Submit(size_t queue, Job job) {
  MutexLock lock(&mutex_);
  if (draining_) return absl::UnavailableError("the server is shutting down");
  absl::Status pushed = queues_[queue].Push(job, options_.now());
  if (pushed.ok()) work_arrived_.Signal();
  return pushed;
}

void Scheduler::Drain(absl::Time deadline) {
  std::vector<std::shared_ptr<PendingJob>> left;
  {
    MutexLock lock(&mutex_);
    draining_ = true;
    work_arrived_.SignalAll();
    while (!Idle()) {
      const absl::Duration remaining = deadline - options_.now();
      if (remaining <= absl::ZeroDuration()) break;
      work_finished_.WaitFor(&mutex_, remaining);
    }
    for (JobQueue& queue : queues_) {
      auto jobs = queue.TakeAll(absl::UnavailableError(
          "the server shut down before the request was computed"));
      left.insert(left.end(), jobs.begin(), jobs.end());
    }
    KeepComplete(left);
    stopping_ = true;
    work_arrived_.SignalAll();
  }
  Finish(left);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

size_t Scheduler::queued_tokens(size_t queue) const {
  MutexLock lock(&mutex_);
  return queues_[queue].tokens();
}

double Scheduler::queued_seconds(size_t queue) const {
  MutexLock lock(&mutex_);
  const double speed = tokens_per_second_[queue];
  return speed > 0 ? static_cast<double>(queues_[queue].tokens()) / speed : 0.0;
}

bool Scheduler::Idle() const {
  return running_batches_ == 0 &&
         std::ranges::all_of(queues_,
                             [](const JobQueue& q) { return q.empty(); });
}

void Scheduler::WorkerLoop(int worker) {
  while (std::optional<Taken> taken = WaitForBatch()) {
    Finish(taken->batch.dropped);
    if (!taken->batch.entries.empty()) Run(worker, *taken);
    MutexLock lock(&mutex_);
    --running_batches_;
    if (Idle()) work_finished_.SignalAll();
  }
}

std::optional<Scheduler::Taken> Scheduler::WaitForBatch() {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const absl::Time now = options_.now();
    absl::Duration look_again;
    if (std::optional<size_t> queue = ReadyQueue(now, &look_again)) {
      Taken taken = {.queue = *queue, .batch = queues_[*queue].TakeBatch(now)};
      // Under the same lock: a part that still runs owes the answer itself.
      KeepComplete(taken.batch.dropped);
      ++running_batches_;
      // What does not fit into this batch is another worker's.
      if (!Idle()) work_arrived_.Signal();
      return taken;
    }
    work_arrived_.WaitFor(&mutex_, look_again);
  }
  return std::nullopt;
}

std::optional<size_t> Scheduler::ReadyQueue(absl::Time now,
                                            absl::Duration* look_again) const {
  std::optional<size_t> best;
  *look_again = absl::InfiniteDuration();
  for (size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i].empty()) continue;
    const absl::Time ready = queues_[i].ReadyAt();
    if (ready > now && !draining_) {
      *look_again = std::min(*look_again, ready - now);
    } else if (!best ||
               queues_[i].oldest_arrival() < queues_[*best].oldest_arrival()) {
      best = i;
    }
  }
  return best;
}

void Scheduler::Run(int worker, const Taken& taken) {
  const absl::Time started = options_.now();
  model::BatchOutput output;
  const absl::Status status =
      run_batch_(taken.queue, worker, Pack(taken.batch), &output);
  const absl::Time finished = options_.now();
  std::vector<std::shared_ptr<PendingJob>> complete =
      Record(taken, status, output, started, finished);
  if (status.ok()) {
    observer_({.queue = taken.queue,
               .sequences = taken.batch.entries.size(),
               .tokens = taken.batch.tokens,
               .compute_time = finished - started});
  }
  Finish(complete);
}

std::vector<std::shared_ptr<PendingJob>> Scheduler::Record(
    const Taken& taken, const absl::Status& status,
    const model::BatchOutput& output, absl::Time started, absl::Time finished) {
  std::vector<SequenceOutput> results;
  if (status.ok()) results = Unpack(taken.batch, output);
  const absl::Duration elapsed = finished - started;

  std::vector<std::shared_ptr<PendingJob>> complete;
  MutexLock lock(&mutex_);
  if (status.ok() && elapsed > absl::ZeroDuration()) {
    double& speed = tokens_per_second_[taken.queue];
    const double sample = static_cast<double>(taken.batch.tokens) /
                          absl::ToDoubleSeconds(elapsed);
    speed = speed > 0 ? speed + kSpeedSmoothing * (sample - speed) : sample;
  }
  const PendingJob* previous = nullptr;
  for (size_t i = 0; i < taken.batch.entries.size(); ++i) {
    const Batch::Entry& entry = taken.batch.entries[i];
    PendingJob& pending = *entry.job;
    if (status.ok()) {
      pending.output.sequences[entry.sequence] = std::move(results[i]);
    } else if (pending.status.ok()) {
      pending.status = status;
    }
    // A job's sequences are adjacent in a batch.
    if (previous != &pending) {
      pending.output.compute_time += elapsed;
      if (taken.batch.tokens > pending.output.batch_tokens) {
        pending.output.batch_tokens = taken.batch.tokens;
        pending.output.batch_sequences = taken.batch.entries.size();
      }
      previous = &pending;
    }
    if (--pending.unfinished == 0) complete.push_back(entry.job);
  }
  return complete;
}

}  // namespace deberta::server
