#include "server/batching/backlog.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/error_reason.h"
#include "server/base/retry_delay.h"
#include "server/batching/prediction.h"
#include "server/batching/rank.h"

namespace deberta::server {
namespace {

// Predictions are exceeded by as much, now and then.
constexpr double kMargin = 1.25;
// How much of the machine better priorities will take is what they took of its
// last seconds, about so many; and never all.
constexpr double kMemorySeconds = 2;
constexpr double kMostOfBetter = 0.8;
// A caller may have so many times as many tokens in a queue as it leaves free
// (dynamic thresholds, Choudhury and Hahne, 1998).
constexpr size_t kPart = 8;
// Within which a caller that is refused need not come back, and should.
constexpr absl::Duration kLeastRetry = absl::Milliseconds(50);
constexpr absl::Duration kMostRetry = absl::Seconds(30);

absl::Status Refused(absl::Status status, absl::Duration retry) {
  return WithRetryDelay(std::move(status),
                        std::clamp(retry, kLeastRetry, kMostRetry));
}

Asking AskingOf(const Job& job) {
  size_t tokens = 0;
  for (const SequenceInput& sequence : job.sequences) tokens += sequence.cost();
  return {.caller = job.caller,
          .priority = job.priority,
          .deadline = job.deadline,
          .tokens = tokens};
}

std::string Readable(double seconds) {
  return absl::StrCat(static_cast<int64_t>(seconds * 1000), " ms");
}

}  // namespace

Backlog::Backlog(JobQueue::Limits limits, size_t queues, size_t slots)
    : limits_(limits),
      shares_(std::make_shared<CallerShares>()),
      queues_(queues, JobQueue(limits, shares_)),
      queues_running_(queues),
      queues_removed_(queues),
      slots_(slots),
      most_batches_(slots) {}

size_t Backlog::AddQueue() {
  for (size_t i = 0; i < queues_.size(); ++i) {
    if (!queues_removed_[i] || queues_running_[i] > 0 || !queues_[i].empty()) {
      continue;
    }
    queues_[i] = JobQueue(limits_, shares_);
    queues_removed_[i] = false;
    return i;
  }
  queues_running_.reserve(queues_.size() + 1);
  queues_removed_.reserve(queues_.size() + 1);
  queues_.emplace_back(limits_, shares_);
  queues_running_.push_back(0);
  queues_removed_.push_back(false);
  return queues_.size() - 1;
}

void Backlog::RemoveQueue(size_t queue) { queues_removed_[queue] = true; }

void Backlog::SetMachine(size_t most_batches, double times) {
  most_batches_ = most_batches;
  for (JobQueue& queue : queues_) queue.cost_model().Slow(times);
}

absl::Status Backlog::Submit(
    size_t queue, Job& job, absl::Time now,
    std::vector<std::shared_ptr<PendingJob>>* dropped) {
  JobQueue& its = queues_[queue];
  const Asking asking = AskingOf(job);
  if (!job.continues) {
    AdvanceMachine(now);
    const double seconds = its.SecondsOf(job) + its.LaterSecondsOf(job);
    absl::Status late = CheckDeadline(queue, asking, seconds, now);
    if (absl::IsDeadlineExceeded(late)) its.cost_model().Doubt();
    if (!late.ok()) return late;
  }
  absl::Status status = Push(queue, asking, job, now);
  if (!absl::IsResourceExhausted(status)) return status;
  *dropped = its.DropGone(now);
  return Push(queue, asking, job, now);
}

absl::Status Backlog::Push(size_t queue, const Asking& asking, Job& job,
                           absl::Time now) {
  if (!job.continues) {
    if (absl::Status s = CheckPart(queue, asking); !s.ok()) return s;
  }
  absl::Status status = queues_[queue].Push(job, now);
  if (!absl::IsResourceExhausted(status)) return status;
  return Refused(std::move(status), absl::Seconds(queues_[queue].seconds()));
}

absl::Status Backlog::Check(size_t queue, const Asking& asking,
                            absl::Time now) const {
  // What this machine could compute at once is for Submit() to try.
  if (Idle()) return absl::OkStatus();
  if (absl::Status s = CheckPart(queue, asking); !s.ok()) return s;
  return CheckDeadline(
      queue, asking, queues_[queue].cost_model().SecondsOfTokens(asking.tokens),
      now);
}

absl::Status Backlog::CheckPart(size_t queue, const Asking& asking) const {
  const CallerShares::Account* account = shares_->Find(asking.caller);
  if (account == nullptr || account->waiting == 0) return absl::OkStatus();
  const JobQueue& its = queues_[queue];
  const size_t most = limits_.max_queue_tokens;
  const size_t then = its.tokens() + asking.tokens;
  if (then <= most && account->tokens + asking.tokens <= kPart * (most - then))
    return absl::OkStatus();
  return Refused(absl::ResourceExhaustedError(absl::StrCat(
                     "the queue is full for this caller: ", account->tokens,
                     " of ", its.tokens(),
                     " tokens that wait are its own, the "
                     "request has ",
                     asking.tokens, ", the queue holds ", most)),
                 absl::Seconds(its.seconds()));
}

absl::Status Backlog::CheckDeadline(size_t queue, const Asking& asking,
                                    double seconds, absl::Time now) const {
  const JobQueue& its = queues_[queue];
  if (!its.cost_model().known()) return absl::OkStatus();
  const absl::Duration left = asking.deadline - now;
  const auto deadline = [left] {
    return absl::StrCat("its deadline is in ",
                        Readable(absl::ToDoubleSeconds(left)));
  };
  if (Idle()) {
    // What is predicted is wrong now and then, and right again only by what is
    // computed.
    if (absl::Seconds(seconds) <= 2 * left) return absl::OkStatus();
    return absl::DeadlineExceededError(
        absl::StrCat("the request takes about ", Readable(seconds),
                     " to compute, ", deadline()));
  }
  const CallerShares::Account* const account = shares_->Find(asking.caller);
  const Newcomer newcomer = {
      .level = LevelOf(asking.priority, /*continues=*/false, now, now, now),
      .turn = shares_->TurnOf(account),
      .account = account,
      .deadline = asking.deadline,
      .seconds = seconds};
  const double ahead =
      RunningSeconds() + SecondsAhead(queues_, newcomer, now, ++predictions_);
  const double until = (ahead + OwnSeconds(its, seconds, ahead)) /
                       (1 - ShareOfBetter(asking.priority));
  const absl::Duration late = absl::Seconds(kMargin * until) - left;
  if (late <= absl::ZeroDuration()) return absl::OkStatus();
  return Refused(
      WithReason(absl::ResourceExhaustedError(absl::StrCat(
                     "the server is busy: the request would be computed in "
                     "about ",
                     Readable(until), ", ", deadline())),
                 kLateReason),
      late);
}

double Backlog::OwnSeconds(const JobQueue& queue, double seconds,
                           double ahead) const {
  // A batch has companions; beside it others run, of what went before it for
  // half of the time.
  const CostModel& cost = queue.cost_model();
  const double batch =
      std::min(std::max(limits_.max_batch_seconds,
                        cost.SecondsOfTokens(limits_.min_batch_tokens)),
               cost.SecondsOfTokens(limits_.max_batch_tokens));
  const double most = std::max(seconds, batch);
  const double beside = (static_cast<double>(most_batches_) - 1) / 2;
  return most + beside * std::min(most, ahead);
}

double Backlog::ShareOfBetter(Priority priority) const {
  double better = 0;
  double all = 0;
  for (size_t i = 0; i < served_.size(); ++i) {
    if (i < static_cast<size_t>(priority)) better += served_[i];
    all += served_[i];
  }
  return all > 0 ? std::min(better / all, kMostOfBetter) : 0;
}

double Backlog::RunningSeconds() const {
  double seconds = 0;
  for (const Slot& slot : slots_) {
    if (!slot.computing) continue;
    seconds +=
        std::max(0.0, slot.predicted - (machine_seconds_ - slot.started));
  }
  return seconds;
}

bool Backlog::Idle() const { return Computing() == 0 && empty(); }

size_t Backlog::Computing() const {
  return static_cast<size_t>(
      std::ranges::count(slots_, true, &Slot::computing));
}

void Backlog::AdvanceMachine(absl::Time now) {
  if (const size_t computing = Computing(); computing > 0) {
    machine_seconds_ +=
        std::max(0.0, absl::ToDoubleSeconds(now - machine_at_)) /
        static_cast<double>(computing);
  }
  machine_at_ = now;
}

absl::Time Backlog::ReadyAt() const {
  absl::Time first = absl::InfiniteFuture();
  for (const JobQueue& queue : queues_)
    first = std::min(first, queue.ReadyAt());
  return first;
}

std::optional<size_t> Backlog::ReadyQueue(absl::Time now,
                                          bool even_unready) const {
  std::optional<size_t> best;
  std::optional<Rank> best_rank;
  for (size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i].ReadyAt() > now && !even_unready) continue;
    const std::optional<Rank> rank = queues_[i].First(now);
    if (!rank.has_value()) continue;
    if (best.has_value() && !(*rank < *best_rank)) continue;
    best = i;
    best_rank = rank;
  }
  return best;
}

Batch Backlog::TakeBatch(size_t queue, size_t slot, absl::Time now) {
  Batch batch = queues_[queue].TakeBatch(now);
  TakeNothing(queue, slot, now);
  slots_[slot].predicted = batch.seconds;
  if (batch.entries.empty()) return batch;
  const double kept = std::exp(-batch.seconds / kMemorySeconds);
  for (double& served : served_) served *= kept;
  served_[static_cast<size_t>(batch.entries[0].job->job.priority)] +=
      batch.seconds;
  return batch;
}

void Backlog::TakeNothing(size_t queue, size_t slot, absl::Time now) {
  AdvanceMachine(now);
  slots_[slot] = {.computing = true, .started = machine_seconds_};
  ++queues_running_[queue];
}

void Backlog::Computed(size_t queue, size_t slot, absl::Time now, bool whole) {
  AdvanceMachine(now);
  const Slot was = std::exchange(slots_[slot], Slot());
  if (!whole) return;
  queues_[queue].cost_model().Correct(was.predicted,
                                      machine_seconds_ - was.started);
}

std::shared_ptr<PendingJob> Backlog::TakeFirst(const absl::Status& status) {
  for (JobQueue& queue : queues_) {
    if (!queue.empty()) return queue.TakeFirst(status);
  }
  return nullptr;
}

bool Backlog::empty() const {
  return std::ranges::all_of(queues_, &JobQueue::empty);
}

}  // namespace deberta::server
