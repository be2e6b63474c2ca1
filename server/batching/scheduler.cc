#include "server/batching/scheduler.h"

#include <algorithm>
#include <utility>

#include "server/base/thrown.h"
#include "server/batching/packing.h"
#include "server/batching/waiters.h"

namespace deberta::server {
namespace {

void Finish(PendingJob& pending) {
  // Moved out first: the callback may hold the last reference to things that
  // point back here.
  const auto done = std::move(pending.job.done);
  try {
    if (pending.status.ok()) {
      done(std::move(pending.output));
    } else {
      done(pending.status);
    }
  } catch (...) {
    // The job has its answer. What it makes of it is its own affair.
  }
}

void Finish(std::span<const std::shared_ptr<PendingJob>> jobs) {
  for (const std::shared_ptr<PendingJob>& pending : jobs) Finish(*pending);
}

// Leaves the jobs of which no part is running any more.
void KeepComplete(std::vector<std::shared_ptr<PendingJob>>& jobs) {
  std::erase_if(jobs, [](const auto& job) { return job->unfinished > 0; });
}

int Capacity(const Scheduler::Options& options) {
  return std::max(options.threads, options.most_threads);
}

}  // namespace

Scheduler::Scheduler(Options options, size_t queues, RunBatch run_batch,
                     BatchObserver observer)
    : options_(std::move(options)),
      run_batch_(std::move(run_batch)),
      observer_(std::move(observer)),
      backlog_({.max_batch_tokens = options_.max_batch_tokens,
                .max_queue_tokens = options_.max_queue_tokens,
                .max_batch_wait = options_.max_batch_wait,
                .max_batch_seconds = options_.max_batch_seconds,
                .min_batch_tokens = options_.min_batch_tokens},
               queues,
               static_cast<size_t>(
                   std::min(options_.max_batches, Capacity(options_)))) {
  const auto threads = static_cast<size_t>(Capacity(options_));
  const auto scratch =
      std::make_shared<std::vector<model::ThreadScratch>>(threads);
  const auto teams = static_cast<size_t>(options_.max_batches);
  for (size_t team = 0; team < std::min(teams, threads); ++team) {
    workspaces_.push_back(std::make_unique<model::Workspace>(scratch));
  }
  teams_.resize(workspaces_.size());
  threads_.reserve(threads);
  SetMachine(options_.threads, 1);
}

Scheduler::~Scheduler() { Drain(absl::InfinitePast()); }

size_t Scheduler::AddQueue() {
  MutexLock lock(&mutex_);
  return backlog_.AddQueue();
}

void Scheduler::RemoveQueue(size_t queue) {
  MutexLock lock(&mutex_);
  backlog_.RemoveQueue(queue);
}

void Scheduler::SetCostModel(size_t queue, const CostModel& model) {
  MutexLock lock(&mutex_);
  backlog_.SetCostModel(queue, model);
}

void Scheduler::SetMachine(int threads, double times) {
  MutexLock lock(&mutex_);
  if (stopping_) return;
  active_ = std::clamp(threads, 1, Capacity(options_));
  backlog_.SetMachine(most_batches(), times);
  while (threads_.size() < static_cast<size_t>(active_)) {
    const int thread = static_cast<int>(threads_.size());
    threads_.emplace_back([this, thread] { RunThread(thread); });
  }
  threads_changed_.SignalAll();
  work_arrived_.SignalAll();
}

size_t Scheduler::most_batches() const {
  return std::min(workspaces_.size(), static_cast<size_t>(active_));
}

absl::Status Scheduler::Submit(size_t queue, Job job) {
  std::vector<std::shared_ptr<PendingJob>> dropped;
  const absl::Status pushed = Guarded([&]() -> absl::Status {
    MutexLock lock(&mutex_);
    if (job.continues ? stopping_ : draining_)
      return absl::UnavailableError("the server is shutting down");
    const absl::Status status =
        backlog_.Submit(queue, job, options_.now(), &dropped);
    KeepComplete(dropped);
    if (status.ok()) WakeOthers();
    return status;
  });
  Finish(dropped);
  return pushed;
}

absl::Status Scheduler::Check(size_t queue, const Asking& asking) const {
  MutexLock lock(&mutex_);
  return backlog_.Check(queue, asking, options_.now());
}

size_t Scheduler::round_tokens() const {
  const size_t batch = options_.max_batch_tokens;
  return std::min({2 * batch * most_batches(),
                   std::max(batch, options_.max_queue_tokens / 4),
                   options_.max_queue_tokens});
}

void Scheduler::Drain(absl::Time deadline) {
  const absl::Status late = absl::UnavailableError(
      "the server shut down before the request was computed");
  {
    MutexLock lock(&mutex_);
    draining_ = true;  // and so every queue is ready
    work_arrived_.SignalAll();
    WakeOthers();
    while (!Idle()) {
      const absl::Duration remaining = deadline - options_.now();
      if (remaining <= absl::ZeroDuration()) break;
      work_finished_.WaitFor(&mutex_, remaining);
    }
    stopping_ = true;
    work_arrived_.SignalAll();
    threads_changed_.SignalAll();
  }
  while (const std::shared_ptr<PendingJob> left = TakeFirst(late)) {
    if (left->unfinished == 0) Finish(*left);
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::shared_ptr<PendingJob> Scheduler::TakeFirst(const absl::Status& status) {
  MutexLock lock(&mutex_);
  return backlog_.TakeFirst(status);
}

size_t Scheduler::queued_tokens(size_t queue) const {
  MutexLock lock(&mutex_);
  return backlog_.tokens(queue);
}

double Scheduler::queued_seconds(size_t queue) const {
  MutexLock lock(&mutex_);
  return backlog_.seconds(queue);
}

bool Scheduler::Idle() const {
  return running_batches_ == 0 && backlog_.empty();
}

void Scheduler::RunThread(int thread) {
  while (std::optional<Duty> duty = WaitForDuty(thread)) {
    if (duty->batch.has_value()) {
      Lead(*duty);
    } else {
      workspaces_[duty->team]->pool().Help(thread, duty->session,
                                           [this] { return Called(); });
      LeaveTeam(*duty);
    }
  }
}

std::optional<Scheduler::Duty> Scheduler::WaitForDuty(int thread) {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    if (thread >= active_) {
      threads_changed_.Wait(&mutex_);
      continue;
    }
    call_at_ = kNever;  // this one has come
    absl::Duration look_again = absl::InfiniteDuration();
    std::optional<Duty> duty = TakeBatch(thread, &look_again);
    if (!duty.has_value()) duty = JoinTeam();
    if (duty.has_value()) {
      WakeOthers();
      return duty;
    }
    ++sleeping_;
    work_arrived_.WaitFor(&mutex_, look_again);
    --sleeping_;
  }
  return std::nullopt;
}

std::optional<Scheduler::Duty> Scheduler::TakeBatch(
    int thread, absl::Duration* look_again) {
  // The first that is free: one that was used before, if any was.
  const auto team = std::ranges::find(teams_, 0, &Team::threads);
  if (team == teams_.end()) return std::nullopt;
  const absl::Time now = options_.now();
  *look_again = backlog_.ReadyAt() - now;
  const std::optional<size_t> queue = backlog_.ReadyQueue(now, draining_);
  if (!queue.has_value()) return std::nullopt;
  Duty duty =
      TakeBatchOf(*queue, static_cast<size_t>(team - teams_.begin()), now);
  ++running_batches_;
  const size_t tokens = duty.batch->cost;
  *team = {.threads = 1,
           .most = MostThreads(tokens, options_.max_threads_per_batch),
           .tokens = tokens,
           .session = workspaces_[duty.team]->pool().Lead(thread)};
  return duty;
}

Scheduler::Duty Scheduler::TakeBatchOf(size_t queue, size_t team,
                                       absl::Time now) {
  Duty duty = {.team = team, .batch = Batch(), .queue = queue};
  // Under the same lock: a part that still runs owes the answer itself.
  try {
    duty.batch = backlog_.TakeBatch(queue, team, now);
    KeepComplete(duty.batch->dropped);
  } catch (...) {
    backlog_.TakeNothing(queue, team, now);
    duty.failed = backlog_.TakeFirstOf(queue, StatusOfException());
    if (duty.failed->unfinished > 0) duty.failed = nullptr;
  }
  return duty;
}

std::optional<Scheduler::Duty> Scheduler::JoinTeam() {
  const std::optional<size_t> team = TeamToJoin(teams_);
  if (!team.has_value()) return std::nullopt;
  ++teams_[*team].threads;
  return Duty{.team = *team, .session = teams_[*team].session};
}

void Scheduler::LeaveTeam(const Duty& duty) {
  MutexLock lock(&mutex_);
  Team& team = teams_[duty.team];
  // Else the batch has ended, and its whole team with it.
  if (team.session == duty.session && team.threads > 1) --team.threads;
}

void Scheduler::WakeOthers() {
  // Each that then finds something wakes two more: a tree, so that a team is
  // complete soon and its leader has not woken all of it alone. A queue that is
  // not ready needs somebody who knows when it will be.
  if (TeamToJoin(teams_).has_value() || !backlog_.empty()) {
    work_arrived_.Signal();
    work_arrived_.Signal();
  }
  call_at_ = kNever;
  if (sleeping_ > 0 || std::ranges::count(teams_, 0, &Team::threads) == 0) {
    return;
  }
  const absl::Time now = options_.now();
  const bool ready = draining_ && !backlog_.empty();
  call_at_ = absl::ToUnixNanos(ready ? now : std::max(backlog_.ReadyAt(), now));
}

bool Scheduler::Called() {
  // Mostly nobody is, which costs those who help no look at the clock.
  int64_t at = call_at_.load(std::memory_order_relaxed);
  return at != kNever && at <= absl::ToUnixNanos(options_.now()) &&
         call_at_.compare_exchange_strong(at, kNever,
                                          std::memory_order_relaxed);
}

void Scheduler::Lead(Duty& duty) {
  const Batch& batch = *duty.batch;
  Finish(batch.dropped);
  if (duty.failed != nullptr) Finish(*duty.failed);
  const absl::Time started = options_.now();
  Results results = Guarded([&] { return Run(duty); });
  const absl::Duration elapsed = options_.now() - started;
  const bool computed =
      results.ok() &&
      std::ranges::any_of(*results, &absl::StatusOr<SequenceOutput>::ok);
  Record(duty, results, elapsed);
  if (computed) {
    // No job is worse off for a report that fails.
    (void)Guarded([&] {
      observer_({.queue = duty.queue,
                 .sequences = batch.inputs,
                 .tokens = batch.tokens,
                 .compute_time = elapsed});
      return absl::OkStatus();
    });
  }
  Finish(batch.complete);
  MutexLock lock(&mutex_);
  --running_batches_;
  backlog_.Answered(duty.queue);
  if (Idle()) work_finished_.SignalAll();
}

Scheduler::Results Scheduler::Run(const Duty& duty) {
  const Batch& batch = *duty.batch;
  std::vector<absl::StatusOr<SequenceOutput>> results;
  if (batch.entries.empty()) return results;
  model::Workspace& workspace = *workspaces_[duty.team];
  // Its helpers go when it ends, however it does.
  const auto release = [](model::ThreadPool* pool) { pool->Release(); };
  std::unique_ptr<model::ThreadPool, decltype(release)> helped(
      &workspace.pool());
  const PackedBatch packed = Pack(batch);
  Waiters waiters(batch);
  Unpacker unpacker(batch, packed);
  const model::ForwardOptions options = {
      .still_wanted =
          [&](size_t input) { return waiters.WaitFor(input, options_.now()); },
      .take_logits = unpacker.take_logits()};
  model::BatchOutput output;
  const absl::Status status =
      run_batch_(duty.queue, packed.batch, options, workspace, &output);
  helped.reset();

  std::vector<SequenceOutput> outputs;
  if (status.ok()) outputs = unpacker.Finish(output);
  results.reserve(batch.entries.size());
  for (size_t i = 0; i < batch.entries.size(); ++i) {
    if (!waiters.given_up(i).ok()) {
      results.push_back(waiters.given_up(i));
    } else if (status.ok()) {
      results.push_back(std::move(outputs[i]));
    } else {
      results.push_back(status);
    }
  }
  return results;
}

void Scheduler::Record(Duty& duty, Results& results, absl::Duration elapsed) {
  Batch& batch = *duty.batch;
  MutexLock lock(&mutex_);
  backlog_.Computed(
      duty.queue, duty.team, options_.now(),
      batch.cost > 0 && results.ok() &&
          std::ranges::all_of(*results, &absl::StatusOr<SequenceOutput>::ok));
  teams_[duty.team] = Team();
  WakeOthers();
  for (size_t i = 0; i < batch.entries.size(); ++i) {
    const Batch::Entry& entry = batch.entries[i];
    PendingJob& pending = *entry.job;
    const absl::Status& status =
        results.ok() ? (*results)[i].status() : results.status();
    if (status.ok()) {
      pending.output.sequences[entry.sequence] = *std::move((*results)[i]);
    } else if (pending.status.ok()) {
      pending.status = status;
    }
    if (pending.last_batch != batch.number) {
      pending.output.compute_time += elapsed;
      if (batch.tokens > pending.output.batch_tokens) {
        pending.output.batch_tokens = batch.tokens;
        pending.output.batch_sequences = batch.inputs;
      }
      pending.last_batch = batch.number;
    }
    if (--pending.unfinished == 0) batch.complete.push_back(entry.job);
  }
}

}  // namespace deberta::server
