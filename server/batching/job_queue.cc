#include "server/batching/job_queue.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
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

absl::Status Gone(const Job& job, absl::Time now) {
  if (job.cancelled && job.cancelled())
    return absl::CancelledError("the caller cancelled the request");
  if (job.deadline <= now)
    return absl::DeadlineExceededError(
        "the deadline passed before the request was computed");
  return absl::OkStatus();
}

absl::Status JobQueue::CheckRoom(size_t tokens) const {
  if (tokens > limits_.max_queue_tokens) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a job of ", tokens, " tokens is more than the whole queue holds (",
        limits_.max_queue_tokens, ")"));
  }
  // Jobs that continue others may have made it more than full.
  if (tokens_ > limits_.max_queue_tokens - tokens) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the queue is full: ", tokens_, " of ", limits_.max_queue_tokens,
        " tokens wait, the request has ", tokens));
  }
  return absl::OkStatus();
}

absl::Status JobQueue::Push(Job& job, absl::Time now) {
  size_t tokens = 0;
  for (const SequenceInput& sequence : job.sequences) tokens += sequence.cost();
  if (tokens == 0) return absl::InvalidArgumentError("the job has no tokens");
  if (!job.continues) {
    if (absl::Status s = CheckRoom(tokens); !s.ok()) return s;
  }
  auto pending = std::make_shared<PendingJob>();
  pending->output.sequences.resize(job.sequences.size());
  pending->unfinished = job.sequences.size();
  pending->arrival = now;
  pending->job = std::move(job);
  tokens_ += tokens;
  jobs_.push_back(std::move(pending));
  return absl::OkStatus();
}

std::vector<std::shared_ptr<PendingJob>> JobQueue::DropGone(absl::Time now) {
  std::vector<std::shared_ptr<PendingJob>> dropped;
  for (std::shared_ptr<PendingJob>& pending : jobs_) {
    absl::Status gone =
        pending->status.ok() ? Gone(pending->job, now) : pending->status;
    if (gone.ok()) continue;
    pending->status = std::move(gone);
    tokens_ -= WaitingTokens(*pending);
    pending->unfinished -= WaitingSequences(*pending);
    dropped.push_back(std::move(pending));
  }
  std::erase(jobs_, nullptr);
  return dropped;
}

Batch JobQueue::TakeBatch(absl::Time now) {
  Batch batch;
  batch.dropped = DropGone(now);
  absl::flat_hash_map<const SequenceInput*, size_t, InputHash, InputEqual>
      inputs;
  while (!jobs_.empty()) {
    const std::shared_ptr<PendingJob>& front = jobs_.front();
    const SequenceInput& sequence = front->job.sequences[front->next_sequence];
    const auto [known, is_new] = inputs.try_emplace(&sequence, inputs.size());
    const size_t cost = is_new ? sequence.cost() : sequence.head_tokens;
    if (cost > 0 && !batch.entries.empty() &&
        batch.cost + cost > limits_.max_batch_tokens)
      break;
    batch.cost += cost;
    if (is_new) {
      batch.tokens += sequence.ids.size();
      ++batch.inputs;
    }
    if (!front->started) {
      front->started = true;
      front->output.queue_time = now - front->arrival;
    }
    batch.entries.push_back({front, front->next_sequence++, known->second});
    tokens_ -= sequence.cost();
    if (WaitingSequences(*front) == 0) jobs_.pop_front();
  }
  return batch;
}

absl::Time JobQueue::ReadyAt() const {
  if (jobs_.empty()) return absl::InfiniteFuture();
  if (tokens_ >= limits_.max_batch_tokens) return absl::InfinitePast();
  return jobs_.front()->arrival + limits_.max_batch_wait;
}

std::vector<std::shared_ptr<PendingJob>> JobQueue::TakeAll(
    const absl::Status& status) {
  for (const std::shared_ptr<PendingJob>& pending : jobs_) {
    pending->status = status;
    pending->unfinished -= WaitingSequences(*pending);
  }
  std::vector<std::shared_ptr<PendingJob>> all(jobs_.begin(), jobs_.end());
  jobs_.clear();
  tokens_ = 0;
  return all;
}

absl::Time JobQueue::oldest_arrival() const {
  return jobs_.empty() ? absl::InfiniteFuture() : jobs_.front()->arrival;
}

}  // namespace deberta::server
