// A call that a task answers through the model.

#ifndef SERVER_RPC_TASK_CALL_H_
#define SERVER_RPC_TASK_CALL_H_

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "deberta/v1/deberta.pb.h"
#include "server/base/error_reason.h"
#include "server/base/stopwatch.h"
#include "server/base/thrown.h"
#include "server/batching/scheduler.h"
#include "server/batching/task_run.h"
#include "server/rpc/call.h"
#include "server/rpc/convert.h"
#include "server/rpc/requested_precision.h"
#include "server/rpc/requested_priority.h"

namespace deberta::server {

template <TaskKind kKind, Task T, typename Request, typename Response>
class TaskCall final : public Call {
 public:
  TaskCall(const Source& source, const CallEnvironment* environment)
      : Call(TaskName(kKind), source, environment),
        fp32_(AsksForFp32(source.context)),
        priority_(RequestedPriority(source.context, caller().max_priority)) {}

 private:
  std::optional<absl::Status> Run() override {
    absl::Status queued = Queue();
    // Once queued the call belongs to the worker.
    if (queued.ok()) return std::nullopt;
    return queued;
  }

  absl::Status Identify() override {
    if (absl::Status s = Parse(&request_); !s.ok()) return s;
    return SetModel(FindModel(catalog(), caller(), request_.model(), kKind));
  }

  // OK: the end of the run answers the call.
  absl::Status Queue() {
    if (!fp32_.ok()) return fp32_.status();
    if (!priority_.ok()) return priority_.status();
    absl::StatusOr<size_t> queue = QueueFor(model(), *fp32_);
    if (!queue.ok()) return queue.status();
    queue_ = *queue;
    if (absl::Status s = CheckRoom(); !s.ok()) return Refused(std::move(s));
    absl::StatusOr<T> task = MakeTask(std::exchange(request_, {}));
    if (!task.ok()) return task.status();
    if (absl::Status s = HoldTask(*task); !s.ok()) return s;
    if (absl::Status s = CheckFits(*task); !s.ok()) return Refused(s);
    for (const Coverage& coverage : task->coverage()) {
      ++report().inputs;
      report().tokens += coverage.tokens_used;
      report().truncated_inputs += coverage.truncated ? 1 : 0;
    }
    report().accepted = true;
    absl::Status submitted = Submit(*std::move(task));
    return submitted.ok() ? submitted : Refused(std::move(submitted));
  }

  // Refuses before anything is tokenized what would be refused afterwards.
  absl::Status CheckRoom() {
    // However long the words of a vocabulary are, texts have fewer bytes a
    // token.
    constexpr size_t kMostTokenBytes = 32;
    return scheduler().Check(
        queue_, {.caller = share(),
                 .priority = *priority_,
                 .deadline = deadline(),
                 .tokens = cost().request_bytes / kMostTokenBytes});
  }

  absl::StatusOr<T> MakeTask(Request request) {
    const Stopwatch watch;
    report().until_tokenize = elapsed();
    if (absl::Status s = HoldForTokenizing(); !s.ok()) return s;
    auto plain = FromProto(std::move(request));
    if (!plain.ok()) return plain.status();
    absl::StatusOr<T> task = T::Create(*std::move(plain), model().task_model);
    report().tokenize = watch.elapsed();
    return task;
  }

  // Holds what the task does, with what was written of the answer.
  absl::Status HoldTask(const T& task) {
    const Cost request = cost();
    cost() = task.cost();
    cost().request_bytes = request.request_bytes;
    cost().request_fields = request.request_fields;
    cost().answer_bytes = std::max(cost().answer_bytes, answer().bytes());
    return Hold();
  }

  // Whether each of the task's sequences can be queued.
  absl::Status CheckFits(const T& task) const {
    const size_t most = scheduler().max_queue_tokens();
    if (task.longest_sequence() <= most) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("one of them takes ", task.longest_sequence(),
                     " tokens at a time, the server's queue holds ", most));
  }

  absl::Status Submit(T task) {
    const size_t computed_tokens = task.cost().computed_tokens;
    run_.emplace(std::move(task),
                 typename TaskRun<T>::Options{
                     .submit =
                         [scheduler = &scheduler(), queue = queue_](Job job) {
                           return scheduler->Submit(queue, std::move(job));
                         },
                     .limits = {.tokens = scheduler().round_tokens()},
                     .deadline = deadline(),
                     .caller = share(),
                     .priority = *priority_,
                     .tokens = computed_tokens,
                     .cancelled = [flag = cancelled()] { return flag->load(); },
                     .on_results = [this](T& of) { return WriteResults(of); }});
    return run_->Start([this](const absl::Status& status) {
      Complete(Guarded([&] { return Answer(status); }));
    });
  }

  absl::Status Refused(absl::Status status) {
    report().accepted = false;
    switch (status.code()) {
      case absl::StatusCode::kResourceExhausted:
        report().rejection = ReasonOf(status) == kLateReason
                                 ? Rejection::kPredictedLate
                                 : Rejection::kQueueFull;
        return status;
      case absl::StatusCode::kDeadlineExceeded:
        report().rejection = Rejection::kPredictedLate;
        return status;
      case absl::StatusCode::kUnavailable:
        report().rejection = Rejection::kDraining;
        return status;
      case absl::StatusCode::kInvalidArgument:
        return TooLarge(status);
      default:
        return status;
    }
  }

  // From here on, on the worker's thread.

  absl::Status WriteResults(T& task) {
    for (auto& result : task.TakeResults()) {
      part_.Clear();
      ToProto(result, part_.add_results());
      answer().Append(part_);
    }
    return HoldTask(task);
  }

  absl::Status Answer(const absl::Status& status) {
    if (!status.ok()) return status;
    report().queue = run_->totals().queue_time;
    report().compute = run_->totals().compute_time;
    if (auto rest = run_->task().Finish(); !rest.ok()) return rest.status();
    part_.Clear();
    ToProto(model(), part_.mutable_model());
    if (*fp32_) part_.mutable_model()->set_precision(std::string(kFp32));
    SetTiming(run_->totals(), part_.mutable_timing());
    answer().Append(part_);
    return absl::OkStatus();
  }

  void SetTiming(const JobOutput& output, v1::Timing* timing) {
    timing->set_tokenize_us(absl::ToInt64Microseconds(*report().tokenize));
    timing->set_queue_us(absl::ToInt64Microseconds(output.queue_time));
    timing->set_compute_us(absl::ToInt64Microseconds(output.compute_time));
    timing->set_total_us(absl::ToInt64Microseconds(elapsed()));
    timing->set_batch_inputs(static_cast<int32_t>(output.batch_sequences));
    timing->set_batch_tokens(static_cast<int32_t>(output.batch_tokens));
  }

  const absl::StatusOr<bool> fp32_;  // whether fp32 is asked for
  const absl::StatusOr<Priority> priority_;
  Request request_;  // until there is a task
  size_t queue_ = 0;
  std::optional<TaskRun<T>> run_;
  Response part_;  // of the answer, reused
};

}  // namespace deberta::server

#endif  // SERVER_RPC_TASK_CALL_H_
