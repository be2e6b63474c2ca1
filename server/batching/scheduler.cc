#include "server/batching/scheduler.h"

#include <algorithm>
#include <utility>

#include "server/base/thrown.h"
#include "server/batching/packing.h"
#include "server/batching/waiters.h"

namespace deberta::server {
namespace {

// Weight of the newest batch in the running estimate of a queue's speed.
constexpr double kSpeedSmoothing = 0.2;

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

}  // namespace

Scheduler::Scheduler(Options options, size_t queues, RunBatch run_batch,
                     BatchObserver observer)
    : options_(std::move(options)),
      run_batch_(std::move(run_batch)),
      observer_(std::move(observer)),
      queues_(queues, MakeQueue()),
      queue_states_(queues) {
  const auto threads = static_cast<size_t>(options_.threads);
  const auto scratch =
      std::make_shared<std::vector<model::ThreadScratch>>(threads);
  const auto teams = static_cast<size_t>(options_.max_batches);
  for (size_t team = 0; team < std::min(teams, threads); ++team) {
    workspaces_.push_back(std::make_unique<model::Workspace>(scratch));
  }
  teams_.resize(workspaces_.size());
  threads_.reserve(threads);
  for (int thread = 0; thread < options_.threads; ++thread)
    threads_.emplace_back([this, thread] { RunThread(thread); });
}

Scheduler::~Scheduler() { Drain(absl::InfinitePast()); }

JobQueue Scheduler::MakeQueue() const {
  return JobQueue({.max_batch_tokens = options_.max_batch_tokens,
                   .max_queue_tokens = options_.max_queue_tokens,
                   .max_batch_wait = options_.max_batch_wait});
}

size_t Scheduler::AddQueue() {
  MutexLock lock(&mutex_);
  for (size_t queue = 0; queue < queues_.size(); ++queue) {
    QueueState& state = queue_states_[queue];
    if (!state.removed || state.running > 0 || !queues_[queue].empty()) {
      continue;
    }
    state = QueueState();
    return queue;
  }
  queue_states_.reserve(queues_.size() + 1);
  queues_.push_back(MakeQueue());
  queue_states_.emplace_back();
  return queues_.size() - 1;
}

void Scheduler::RemoveQueue(size_t queue) {
  MutexLock lock(&mutex_);
  queue_states_[queue].removed = true;
}

absl::Status Scheduler::Submit(size_t queue, Job job) {
  std::vector<std::shared_ptr<PendingJob>> dropped;
  const absl::Status pushed = Guarded([&]() -> absl::Status {
    MutexLock lock(&mutex_);
    if (job.continues ? stopping_ : draining_)
      return absl::UnavailableError("the server is shutting down");
    const absl::Time now = options_.now();
    absl::Status status = queues_[queue].Push(job, now);
    if (absl::IsResourceExhausted(status)) {
      dropped = queues_[queue].DropGone(now);
      KeepComplete(dropped);
      status = queues_[queue].Push(job, now);
    }
    if (status.ok()) WakeOthers();
    return status;
  });
  Finish(dropped);
  return pushed;
}

size_t Scheduler::round_tokens() const {
  const size_t batch = options_.max_batch_tokens;
  return std::min({2 * batch * workspaces_.size(),
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
  }
  while (const std::shared_ptr<PendingJob> left = TakeFirst(late)) {
    if (left->unfinished == 0) Finish(*left);
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::shared_ptr<PendingJob> Scheduler::TakeFirst(const absl::Status& status) {
  MutexLock lock(&mutex_);
  for (JobQueue& queue : queues_) {
    if (!queue.empty()) return queue.TakeFirst(status);
  }
  return nullptr;
}

size_t Scheduler::queued_tokens(size_t queue) const {
  MutexLock lock(&mutex_);
  return queues_[queue].tokens();
}

double Scheduler::queued_seconds(size_t queue) const {
  MutexLock lock(&mutex_);
  const double speed = queue_states_[queue].tokens_per_second;
  return speed > 0 ? static_cast<double>(queues_[queue].tokens()) / speed : 0.0;
}

bool Scheduler::Idle() const {
  return running_batches_ == 0 &&
         std::ranges::all_of(queues_,
                             [](const JobQueue& q) { return q.empty(); });
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
  const std::optional<size_t> queue = ReadyQueue(now, look_again);
  if (!queue.has_value()) return std::nullopt;
  Duty duty = TakeBatchOf(*queue, now);
  duty.team = static_cast<size_t>(team - teams_.begin());
  ++running_batches_;
  ++queue_states_[*queue].running;
  const size_t tokens = duty.batch->cost;
  *team = {.threads = 1,
           .most = MostThreads(tokens, options_.max_threads_per_batch),
           .tokens = tokens,
           .session = workspaces_[duty.team]->pool().Lead(thread)};
  return duty;
}

Scheduler::Duty Scheduler::TakeBatchOf(size_t queue, absl::Time now) {
  Duty duty = {.batch = Batch(), .queue = queue};
  // Under the same lock: a part that still runs owes the answer itself.
  try {
    duty.batch = queues_[queue].TakeBatch(now);
    KeepComplete(duty.batch->dropped);
  } catch (...) {
    duty.failed = queues_[queue].TakeFirst(StatusOfException());
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
  if (TeamToJoin(teams_).has_value() ||
      !std::ranges::all_of(queues_, &JobQueue::empty)) {
    work_arrived_.Signal();
    work_arrived_.Signal();
  }
  call_at_ = kNever;
  if (sleeping_ > 0 || std::ranges::count(teams_, 0, &Team::threads) == 0) {
    return;
  }
  const absl::Time now = options_.now();
  absl::Duration look_again;
  if (ReadyQueue(now, &look_again).has_value()) {
    look_again = absl::ZeroDuration();
  }
  call_at_ = absl::ToUnixNanos(now + look_again);
}

bool Scheduler::Called() {
  // Mostly nobody is, which costs those who help no look at the clock.
  int64_t at = call_at_.load(std::memory_order_relaxed);
  return at != kNever && at <= absl::ToUnixNanos(options_.now()) &&
         call_at_.compare_exchange_strong(at, kNever,
                                          std::memory_order_relaxed);
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
    } else if (!best || queues_[i].first_due() < queues_[*best].first_due()) {
      best = i;
    }
  }
  return best;
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
  --queue_states_[duty.queue].running;
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
  teams_[duty.team] = Team();
  WakeOthers();
  if (batch.cost > 0 && elapsed > absl::ZeroDuration() && results.ok() &&
      std::ranges::all_of(*results, &absl::StatusOr<SequenceOutput>::ok)) {
    // The batches beside this one go on at about the same speed.
    const double sample = static_cast<double>(batch.cost * running_batches_) /
                          absl::ToDoubleSeconds(elapsed);
    double& speed = queue_states_[duty.queue].tokens_per_second;
    speed = speed > 0 ? speed + kSpeedSmoothing * (sample - speed) : sample;
  }
  const PendingJob* previous = nullptr;
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
    // A job's sequences are adjacent in a batch.
    if (previous != &pending) {
      pending.output.compute_time += elapsed;
      if (batch.tokens > pending.output.batch_tokens) {
        pending.output.batch_tokens = batch.tokens;
        pending.output.batch_sequences = batch.inputs;
      }
      previous = &pending;
    }
    if (--pending.unfinished == 0) batch.complete.push_back(entry.job);
  }
}

}  // namespace deberta::server
