#include "server/batching/job_queue.h"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

size_t WaitingSequences(const PendingJob& pending) {
  return pending.job.sequences.size() - pending.next_sequence;
}

size_t WaitingTokens(const PendingJob& pending) {
  size_t tokens = 0;
  for (size_t i = pending.next_sequence; i < pending.job.sequences.size(); ++i)
    tokens += pending.job.sequences[i].cost();
  return tokens;
}

bool SameReading(const SequenceInput& a, const SequenceInput& b) {
  if (a.reading == b.reading) return true;
  return a.reading != nullptr && b.reading != nullptr &&
         *a.reading == *b.reading;
}

// All that a sequence's values depend on, but for the rows that are read.
struct InputHash {
  size_t operator()(const SequenceInput* input) const {
    return absl::HashOf(input->ids, input->type_ids);
  }
};
struct InputEqual {
  bool operator()(const SequenceInput* a, const SequenceInput* b) const {
    return a->ids == b->ids && a->type_ids == b->type_ids &&
           SameReading(*a, *b);
  }
};

// `planned`: what its caller is about to be served.
Rank RankOf(const JobQueue::Waiting& waiting, double planned, absl::Time now) {
  return {.level = waiting.LevelAt(now),
          .turn = TurnUnits(waiting.account->turn + planned),
          .deadline = waiting.deadline,
          .arrival = waiting.arrival,
          .order = waiting.order};
}

// One of waiting_, and its rank when that was last looked at.
struct Candidate {
  Rank rank;
  size_t index = 0;
  friend bool operator>(const Candidate& a, const Candidate& b) {
    return b.rank < a.rank;
  }
};

}  // namespace

absl::Status Gone(bool cancelled, absl::Time deadline, absl::Time now) {
  if (cancelled)
    return absl::CancelledError("the caller cancelled the request");
  if (deadline <= now)
    return absl::DeadlineExceededError(
        "the deadline passed before the request was computed");
  return absl::OkStatus();
}

absl::Status Gone(const Job& job, absl::Time now) {
  return Gone(job.cancelled && job.cancelled(), job.deadline, now);
}

absl::Status JobQueue::CheckRoom(size_t tokens, size_t cost) const {
  const size_t most = limits_.max_queue_tokens;
  if (tokens > most) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a job of ", tokens, " tokens is more than the whole queue holds (",
        most, ")"));
  }
  // Jobs that continue others may have made it more than full. One whose head
  // has more to do than the queue holds waits alone.
  if (tokens_ > most - std::min(cost, most)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the queue is full: ", tokens_, " of ", most,
                     " tokens wait, the request has ", cost));
  }
  return absl::OkStatus();
}

double JobQueue::SecondsOf(const Job& job) const {
  double seconds = cost_model_.SecondsOfBatch();
  for (const SequenceInput& sequence : job.sequences)
    seconds += cost_model_.Seconds(sequence);
  return seconds;
}

absl::Status JobQueue::Push(Job& job, absl::Time now) {
  size_t tokens = 0;
  size_t cost = 0;
  for (const SequenceInput& sequence : job.sequences) {
    tokens += sequence.ids.size();
    cost += sequence.cost();
  }
  if (tokens == 0) return absl::InvalidArgumentError("the job has no tokens");
  if (!job.continues) {
    if (absl::Status s = CheckRoom(tokens, cost); !s.ok()) return s;
  }
  auto pending = std::make_shared<PendingJob>();
  pending->output.sequences.resize(job.sequences.size());
  pending->unfinished = job.sequences.size();
  pending->arrival = now;
  Waiting& waiting = waiting_.emplace_back();
  try {
    pending->account = shares_->Arrive(job.caller);
  } catch (...) {
    waiting_.pop_back();
    throw;
  }
  // Nothing throws any more.
  waiting = {.pending = pending,
             .order = ++jobs_,
             .seconds = SecondsOf(job),
             .later_seconds = LaterSecondsOf(job),
             .account = pending->account.get(),
             .arrival = now,
             .deadline = job.deadline,
             .priority = job.priority,
             .continues = job.continues};
  pending->job = std::move(job);
  tokens_ += cost;
  pending->account->tokens += cost;
  return absl::OkStatus();
}

void JobQueue::Remove(Waiting& waiting) {
  PendingJob& pending = *waiting.pending;
  const size_t tokens = WaitingTokens(pending);
  tokens_ -= tokens;
  pending.account->tokens -= tokens;
  pending.unfinished -= WaitingSequences(pending);
  shares_->Leave(*pending.account);
}

std::vector<std::shared_ptr<PendingJob>> JobQueue::DropGone(absl::Time now) {
  std::vector<absl::Status> gone;
  gone.reserve(waiting_.size());
  for (const Waiting& waiting : waiting_) {
    const PendingJob& pending = *waiting.pending;
    gone.push_back(pending.status.ok() ? Gone(pending.job, now)
                                       : pending.status);
    const absl::Duration least =
        absl::Seconds(waiting.seconds + waiting.later_seconds);
    if (gone.back().ok() && waiting.deadline < now + least) {
      gone.back() = absl::DeadlineExceededError(
          "the request could not be computed before its deadline any more");
    }
  }
  std::vector<std::shared_ptr<PendingJob>> dropped;
  dropped.reserve(
      static_cast<size_t>(std::ranges::count(gone, false, &absl::Status::ok)));
  // Nothing throws any more.
  for (size_t i = 0; i < gone.size(); ++i) {
    if (gone[i].ok()) continue;
    waiting_[i].pending->status = std::move(gone[i]);
    Remove(waiting_[i]);
    dropped.push_back(std::move(waiting_[i].pending));
  }
  std::erase_if(waiting_,
                [](const Waiting& w) { return w.pending == nullptr; });
  return dropped;
}

void JobQueue::PlanBatch(absl::Time now, Batch* batch,
                         std::vector<Part>* parts) const {
  // Abseil's map is broken once it gets no memory.
  std::unordered_map<const SequenceInput*, size_t, InputHash, InputEqual>
      inputs;
  std::unordered_map<const CallerShares::Account*, double> planned;
  std::vector<Candidate> candidates;
  candidates.reserve(waiting_.size());
  for (size_t i = 0; i < waiting_.size(); ++i) {
    candidates.push_back({RankOf(waiting_[i], 0, now), i});
  }
  std::ranges::make_heap(candidates, std::greater<>());
  parts->resize(waiting_.size());
  batch->seconds = cost_model_.SecondsOfBatch();
  const int level = candidates.empty() ? 0 : candidates.front().rank.level;
  while (!candidates.empty()) {
    std::ranges::pop_heap(candidates, std::greater<>());
    Candidate& next = candidates.back();
    const Waiting& waiting = waiting_[next.index];
    // What can wait does not make a batch longer for what cannot.
    if (next.rank.level > level) return;
    double& serving = planned[waiting.account];
    const Rank rank = RankOf(waiting, serving, now);
    if (next.rank < rank) {
      next.rank = rank;
      std::ranges::push_heap(candidates, std::greater<>());
      continue;
    }
    Part& part = (*parts)[next.index];
    const PendingJob& pending = *waiting.pending;
    const size_t index = pending.next_sequence + part.sequences;
    const SequenceInput& sequence = pending.job.sequences[index];
    const auto [known, is_new] = inputs.try_emplace(&sequence, inputs.size());
    const size_t cost = is_new ? sequence.cost() : sequence.head_tokens;
    const double seconds = is_new
                               ? cost_model_.Seconds(sequence)
                               : cost_model_.Seconds(0, sequence.head_tokens);
    if (cost > 0 && !batch->entries.empty() &&
        (batch->cost + cost > limits_.max_batch_tokens ||
         (batch->cost + cost > limits_.min_batch_tokens &&
          batch->seconds + seconds > limits_.max_batch_seconds))) {
      return;
    }
    batch->cost += cost;
    batch->seconds += seconds;
    if (is_new) {
      batch->tokens += sequence.ids.size();
      ++batch->inputs;
    }
    batch->entries.push_back({waiting.pending, index, known->second});
    serving += seconds;
    part.served += seconds;
    part.seconds += cost_model_.Seconds(sequence);
    part.tokens += sequence.cost();
    if (++part.sequences == WaitingSequences(pending)) {
      candidates.pop_back();
    } else {
      std::ranges::push_heap(candidates, std::greater<>());
    }
  }
}

Batch JobQueue::TakeBatch(absl::Time now) {
  std::vector<std::shared_ptr<PendingJob>> dropped = DropGone(now);
  Batch batch;
  std::vector<Part> parts;
  try {
    PlanBatch(now, &batch, &parts);
    batch.complete.reserve(batch.entries.size());
  } catch (...) {
    // Those that were dropped are answered first.
    if (dropped.empty()) throw;
    batch = Batch();
    parts.clear();
  }
  // Nothing throws any more.
  batch.dropped = std::move(dropped);
  batch.number = ++batches_;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    if (part.sequences == 0) continue;
    Waiting& waiting = waiting_[i];
    PendingJob& pending = *waiting.pending;
    if (!pending.started) {
      pending.started = true;
      pending.output.queue_time = now - pending.arrival;
    }
    shares_->Serve(*pending.account, part.served);
    pending.account->served_at[static_cast<size_t>(waiting.priority)] = now;
    tokens_ -= part.tokens;
    pending.account->tokens -= part.tokens;
    waiting.seconds = std::max(0.0, waiting.seconds - part.seconds);
    pending.next_sequence += part.sequences;
    if (WaitingSequences(pending) > 0) continue;
    shares_->Leave(*pending.account);
    waiting.pending = nullptr;
  }
  std::erase_if(waiting_,
                [](const Waiting& w) { return w.pending == nullptr; });
  return batch;
}

absl::Time JobQueue::ReadyAt() const {
  if (waiting_.empty()) return absl::InfiniteFuture();
  if (tokens_ >= limits_.max_batch_tokens) return absl::InfinitePast();
  return waiting_.front().arrival + limits_.max_batch_wait;
}

std::optional<Rank> JobQueue::First(absl::Time now) const {
  std::optional<Rank> first;
  for (const Waiting& waiting : waiting_) {
    const Rank rank = RankOf(waiting, 0, now);
    if (!first.has_value() || rank < *first) first = rank;
  }
  return first;
}

std::shared_ptr<PendingJob> JobQueue::TakeFirst(const absl::Status& status) {
  if (waiting_.empty()) return nullptr;
  Remove(waiting_.front());
  std::shared_ptr<PendingJob> first = std::move(waiting_.front().pending);
  waiting_.pop_front();
  first->status = status;
  return first;
}

double JobQueue::seconds() const {
  double seconds = 0;
  for (const Waiting& waiting : waiting_) seconds += waiting.seconds;
  return seconds;
}

}  // namespace deberta::server
