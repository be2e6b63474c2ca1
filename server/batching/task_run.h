// Runs a task through a scheduler, a bounded round of its sequences at a time.
//
// A long text has any number of windows and a request any number of inputs: of
// these, one round waits, is computed or has its values in memory. The next is
// made of what follows once the task has taken in all of the last, and queues
// behind whatever waits by then, so that other calls get in between.

#ifndef SERVER_BATCHING_TASK_RUN_H_
#define SERVER_BATCHING_TASK_RUN_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/thrown.h"
#include "server/batching/job.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

// What bounds a round, unless it is a single sequence.
struct RoundLimits {
  size_t tokens = 0;  // of work: SequenceInput::cost()
  size_t values = kMaxRoundFloats;
};

template <Task T>
class TaskRun {
 public:
  struct Options {
    // As Scheduler::Submit() of some queue.
    std::function<absl::Status(Job)> submit;
    RoundLimits limits;
    absl::Time deadline = absl::InfiniteFuture();
    std::string caller = {};  // see Job
    Priority priority = Priority::kNormal;
    size_t tokens = 0;  // of all rounds, about
    // Whether the caller has gone; outlives the run.
    std::function<bool()> cancelled;
    // Told after each output that the task has taken in; an error ends the
    // run. Results that are complete may be taken.
    std::function<absl::Status(T&)> on_results = nullptr;
    std::function<absl::Time()> now = SteadyNow;
  };
  using Done = std::function<void(const absl::Status&)>;

  TaskRun(T task, Options options)
      : task_(std::move(task)), options_(std::move(options)) {
    next_ = task_.Next();
  }
  TaskRun(const TaskRun&) = delete;
  TaskRun& operator=(const TaskRun&) = delete;

  // Submits the first round, or gives back why it is refused. What the task
  // throws is an error of the run. Once accepted,
  // `done` is called once, on the thread that ends the run: OK once the task
  // has taken in every output, else DeadlineExceeded, Cancelled, Unavailable
  // (drain) or the error of a batch or of the task. This lives until then, and
  // `done`, which must not throw, may end it. A task without a sequence is
  // answered before this returns.
  absl::Status Start(Done done) {
    done_ = std::move(done);
    if (!next_.has_value()) return AnswerAtOnce();
    return Guarded([this] { return Submit(/*continues=*/false); });
  }

  // To be asked in `done`.
  T& task() { return task_; }
  // Times summed over the rounds so far, and the largest batch; no sequences.
  const JobOutput& totals() const { return totals_; }

 private:
  absl::Status AnswerAtOnce() {
    if (options_.on_results != nullptr) {
      absl::Status taken =
          Guarded([this] { return options_.on_results(task_); });
      if (!taken.ok()) return taken;
    }
    const Done done = std::move(done_);
    done(absl::OkStatus());
    return absl::OkStatus();
  }

  // Throws only what is thrown before the round is accepted.
  absl::Status Submit(bool continues) {
    std::vector<SequenceInput> round = NextRound();
    for (const SequenceInput& sequence : round) {
      submitted_tokens_ += sequence.ids.size();
    }
    Job job = {.sequences = std::move(round),
               .deadline = options_.deadline,
               .caller = options_.caller,
               .priority = options_.priority,
               .later_tokens = LaterTokens(),
               .continues = continues,
               .cancelled = options_.cancelled,
               .done = [this](absl::StatusOr<JobOutput> output) {
                 Receive(std::move(output));
               }};
    // Once submitted, the run belongs to whoever computes the round.
    const auto submit = options_.submit;
    return submit(std::move(job));
  }

  size_t LaterTokens() const {
    if (!next_.has_value()) return 0;
    return options_.tokens - std::min(submitted_tokens_, options_.tokens);
  }

  std::vector<SequenceInput> NextRound() {
    std::vector<SequenceInput> round;
    size_t tokens = 0;
    size_t values = 0;
    while (next_.has_value()) {
      tokens += next_->cost();
      values +=
          next_->rows.size() * task_.output_width() + next_->reading_values;
      if (!round.empty() && (tokens > options_.limits.tokens ||
                             values > options_.limits.values)) {
        break;
      }
      round.push_back(*std::move(next_));
      next_ = task_.Next();
    }
    return round;
  }

  void Receive(absl::StatusOr<JobOutput> output) {
    absl::Status status = Guarded([&] { return TakeIn(std::move(output)); });
    if (status.ok() && next_.has_value()) {
      status = Guarded([this] { return Submit(/*continues=*/true); });
      if (status.ok()) return;
    }
    const Done done = std::move(done_);
    done(status);
  }

  absl::Status TakeIn(absl::StatusOr<JobOutput> output) {
    if (absl::Status s = StillWanted(); !s.ok()) return s;
    if (!output.ok()) return output.status();
    totals_.queue_time += output->queue_time;
    totals_.compute_time += output->compute_time;
    if (output->batch_tokens > totals_.batch_tokens) {
      totals_.batch_tokens = output->batch_tokens;
      totals_.batch_sequences = output->batch_sequences;
    }
    for (SequenceOutput& sequence : output->sequences) {
      if (absl::Status s = StillWanted(); !s.ok()) return s;
      if (absl::Status s = task_.Consume(std::move(sequence)); !s.ok()) {
        return s;
      }
      if (options_.on_results == nullptr) continue;
      if (absl::Status s = options_.on_results(task_); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  absl::Status StillWanted() const {
    if (options_.now() >= options_.deadline)
      return absl::DeadlineExceededError("the deadline passed");
    if (options_.cancelled())
      return absl::CancelledError("the caller cancelled the request");
    return absl::OkStatus();
  }

  T task_;
  const Options options_;
  Done done_;
  std::optional<SequenceInput> next_;  // not yet in a round
  size_t submitted_tokens_ = 0;
  JobOutput totals_;
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_TASK_RUN_H_
