#include "server/batching/job_queue.h"

#include <algorithm>
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

// All that a sequence's values depend on, but for the rows that are read.
struct InputHash {
  size_t operator()(const SequenceInput* input) const {
    return absl::HashOf(input->ids, input->type_ids);
  }
};
struct InputEqual {
  bool operator()(const SequenceInput* a, const SequenceInput* b) const {
    return a->ids == b->ids && a->type_ids == b->type_ids;
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
  pending->due = job.continues ? now + kPatience : now;
  jobs_.insert(std::ranges::upper_bound(jobs_, pending->due, {},
                                        [](const auto& of) { return of->due; }),
               pending);
  // Nothing throws any more.
  pending->job = std::move(job);
  tokens_ += cost;
  return absl::OkStatus();
}

std::vector<std::shared_ptr<PendingJob>> JobQueue::DropGone(absl::Time now) {
  std::vector<absl::Status> gone;
  gone.reserve(jobs_.size());
  for (const std::shared_ptr<PendingJob>& pending : jobs_) {
    gone.push_back(pending->status.ok() ? Gone(pending->job, now)
                                        : pending->status);
  }
  std::vector<std::shared_ptr<PendingJob>> dropped;
  dropped.reserve(
      static_cast<size_t>(std::ranges::count(gone, false, &absl::Status::ok)));
  // Nothing throws any more.
  for (size_t i = 0; i < gone.size(); ++i) {
    if (gone[i].ok()) continue;
    PendingJob& pending = *jobs_[i];
    pending.status = std::move(gone[i]);
    tokens_ -= WaitingTokens(pending);
    pending.unfinished -= WaitingSequences(pending);
    dropped.push_back(std::move(jobs_[i]));
  }
  std::erase(jobs_, nullptr);
  return dropped;
}

void JobQueue::PlanBatch(absl::Time now, Batch* batch) const {
  // Abseil's map is broken once it gets no memory.
  std::unordered_map<const SequenceInput*, size_t, InputHash, InputEqual>
      inputs;
  for (const std::shared_ptr<PendingJob>& pending : jobs_) {
    // What can wait does not make a batch longer for what cannot.
    if (pending->due > now && jobs_.front()->due <= now) return;
    const std::vector<SequenceInput>& sequences = pending->job.sequences;
    for (size_t i = pending->next_sequence; i < sequences.size(); ++i) {
      const SequenceInput& sequence = sequences[i];
      const auto [known, is_new] = inputs.try_emplace(&sequence, inputs.size());
      const size_t cost = is_new ? sequence.cost() : sequence.head_tokens;
      if (cost > 0 && !batch->entries.empty() &&
          batch->cost + cost > limits_.max_batch_tokens) {
        return;
      }
      batch->cost += cost;
      if (is_new) {
        batch->tokens += sequence.ids.size();
        ++batch->inputs;
      }
      batch->entries.push_back({pending, i, known->second});
    }
  }
}

Batch JobQueue::TakeBatch(absl::Time now) {
  std::vector<std::shared_ptr<PendingJob>> dropped = DropGone(now);
  Batch batch;
  try {
    PlanBatch(now, &batch);
    batch.complete.reserve(batch.entries.size());
  } catch (...) {
    // Those that were dropped are answered first.
    if (dropped.empty()) throw;
    batch = Batch();
  }
  // Nothing throws any more.
  batch.dropped = std::move(dropped);
  for (const Batch::Entry& entry : batch.entries) {
    PendingJob& pending = *entry.job;
    if (!pending.started) {
      pending.started = true;
      pending.output.queue_time = now - pending.arrival;
    }
    tokens_ -= pending.job.sequences[pending.next_sequence++].cost();
  }
  while (!jobs_.empty() && WaitingSequences(*jobs_.front()) == 0) {
    jobs_.pop_front();
  }
  return batch;
}

absl::Time JobQueue::ReadyAt() const {
  if (jobs_.empty()) return absl::InfiniteFuture();
  if (tokens_ >= limits_.max_batch_tokens) return absl::InfinitePast();
  return jobs_.front()->arrival + limits_.max_batch_wait;
}

std::shared_ptr<PendingJob> JobQueue::TakeFirst(const absl::Status& status) {
  if (jobs_.empty()) return nullptr;
  std::shared_ptr<PendingJob> first = std::move(jobs_.front());
  jobs_.pop_front();
  first->status = status;
  tokens_ -= WaitingTokens(*first);
  first->unfinished -= WaitingSequences(*first);
  return first;
}

absl::Time JobQueue::first_due() const {
  return jobs_.empty() ? absl::InfiniteFuture() : jobs_.front()->due;
}

}  // namespace deberta::server
