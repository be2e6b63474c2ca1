// One call of one task: the handler that all task RPCs share.

#ifndef SERVER_RPC_TASK_CALL_H_
#define SERVER_RPC_TASK_CALL_H_

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "deberta/v1/deberta.pb.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/base/error_reason.h"
#include "server/base/stopwatch.h"
#include "server/batching/scheduler.h"
#include "server/batching/task_run.h"
#include "server/rpc/call_gate.h"
#include "server/rpc/convert.h"
#include "server/rpc/request_report.h"
#include "server/rpc/requested_precision.h"
#include "server/rpc/status.h"

namespace deberta::server {

// Owns itself from Start() until gRPC is done with it.
template <TaskKind kKind, Task T, typename Request, typename Response>
class TaskCall final : public grpc::ServerUnaryReactor {
 public:
  TaskCall(const grpc::CallbackServerContext& context, const Request& request,
           Response* response, CallGate* gate, absl::Duration max_time,
           const RequestObserver* observer)
      : request_(request),
        response_(response),
        gate_(gate),
        observer_(observer),
        deadline_(std::min(absl::FromChrono(context.deadline()),
                           absl::Now() + max_time)),
        fp32_(AsksForFp32(context)) {
    report_.task = kKind;
  }

  void Start() {
    absl::Status queued = Queue();
    // Once queued the call belongs to the worker.
    if (!queued.ok()) Complete(queued);
  }

  void OnCancel() override { cancelled_->store(true); }

  void OnDone() override {
    if (entered_) gate_->Leave();
    delete this;
  }

 private:
  // OK: the end of the run answers the call.
  absl::Status Queue() {
    absl::Status entered = gate_->Enter(&backend_);
    entered_ = entered.ok();
    if (backend_.catalog == nullptr) return entered;
    absl::StatusOr<size_t> index =
        backend_.catalog->Find(request_.model(), kKind);
    if (!entered_) {
      if (index.ok()) report_.model = *index;
      report_.rejection = Rejection::kDraining;
      return entered;
    }
    if (!index.ok()) return index.status();
    report_.model = *index;
    if (!fp32_.ok()) return fp32_.status();
    absl::StatusOr<size_t> queue = QueueFor(*backend_.catalog, *index, *fp32_);
    if (!queue.ok()) return queue.status();
    queue_ = *queue;
    absl::StatusOr<T> task = Tokenize(model().task_model);
    if (!task.ok()) return task.status();
    if (absl::Status s = CheckFits(*task); !s.ok()) {
      return Refused(std::move(s));
    }
    for (const Coverage& coverage : task->coverage()) {
      ++report_.inputs;
      report_.tokens += coverage.tokens_used;
      report_.truncated_inputs += coverage.truncated ? 1 : 0;
    }
    report_.accepted = true;
    if (report_.tokens > backend_.scheduler->round_tokens()) {
      if (absl::Status s = gate_->HoldTokens(report_.tokens); !s.ok()) {
        return Refused(std::move(s));
      }
      held_tokens_ = report_.tokens;
    }
    absl::Status submitted = Run(*std::move(task));
    return submitted.ok() ? submitted : Refused(std::move(submitted));
  }

  absl::StatusOr<T> Tokenize(const TaskModel& task_model) {
    const Stopwatch watch;
    auto request = FromProto(request_);
    if (!request.ok()) return request.status();
    absl::StatusOr<T> task = T::Create(*std::move(request), task_model);
    report_.tokenize = watch.elapsed();
    return task;
  }

  // Whether each of the task's sequences can be queued.
  absl::Status CheckFits(const T& task) const {
    const size_t most = backend_.scheduler->max_queue_tokens();
    if (task.longest_sequence() <= most) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("one of them takes ", task.longest_sequence(),
                     " tokens at a time, the server's queue holds ", most));
  }

  absl::Status Run(T task) {
    run_.emplace(
        std::move(task),
        typename TaskRun<T>::Options{
            .submit =
                [scheduler = backend_.scheduler, queue = queue_](Job job) {
                  return scheduler->Submit(queue, std::move(job));
                },
            .limits = {.tokens = backend_.scheduler->round_tokens()},
            .deadline = deadline_,
            .cancelled = [flag = cancelled_] { return flag->load(); }});
    return run_->Start(
        [this](const absl::Status& status) { Complete(Answer(status)); });
  }

  absl::Status Refused(absl::Status status) {
    report_.accepted = false;
    switch (status.code()) {
      case absl::StatusCode::kResourceExhausted:
        report_.rejection = Rejection::kQueueFull;
        return status;
      case absl::StatusCode::kUnavailable:
        report_.rejection = Rejection::kDraining;
        return status;
      case absl::StatusCode::kInvalidArgument:
        report_.rejection = Rejection::kTooLarge;
        return WithReason(InputError("inputs", std::string(status.message())),
                          "REQUEST_TOO_LARGE");
      default:
        return status;
    }
  }

  // On the worker's thread.
  absl::Status Answer(const absl::Status& status) {
    if (!status.ok()) return status;
    report_.queue = run_->totals().queue_time;
    report_.compute = run_->totals().compute_time;
    auto results = run_->task().Finish();
    if (!results.ok()) return results.status();
    response_->mutable_results()->Reserve(static_cast<int>(results->size()));
    for (auto& result : *results) {
      ToProto(result, response_->add_results());
      result = {};  // its memory, now that there is a copy
    }
    ToProto(model(), response_->mutable_model());
    if (*fp32_) response_->mutable_model()->set_precision(std::string(kFp32));
    SetTiming(run_->totals(), response_->mutable_timing());
    return absl::OkStatus();
  }

  void SetTiming(const JobOutput& output, v1::Timing* timing) const {
    timing->set_tokenize_us(absl::ToInt64Microseconds(*report_.tokenize));
    timing->set_queue_us(absl::ToInt64Microseconds(output.queue_time));
    timing->set_compute_us(absl::ToInt64Microseconds(output.compute_time));
    timing->set_total_us(absl::ToInt64Microseconds(total_.elapsed()));
    timing->set_batch_inputs(static_cast<int32_t>(output.batch_sequences));
    timing->set_batch_tokens(static_cast<int32_t>(output.batch_tokens));
  }

  void Complete(const absl::Status& status) {
    report_.total = total_.elapsed();
    report_.code = PublicCode(status);
    report_.message = std::string(status.message());
    (*observer_)(report_);
    if (held_tokens_ > 0) gate_->ReleaseTokens(held_tokens_);
    if (entered_) gate_->Answered();
    absl::Duration retry_delay = absl::Seconds(1);
    if (report_.rejection == Rejection::kQueueFull) {
      retry_delay =
          std::clamp(absl::Seconds(backend_.scheduler->queued_seconds(queue_)),
                     absl::Milliseconds(100), absl::Seconds(30));
    }
    Finish(ToGrpcStatus(status, retry_delay));
  }

  const ServedModel& model() const {
    return backend_.catalog->models()[*report_.model];
  }

  const Request& request_;
  Response* const response_;
  CallGate* const gate_;
  const RequestObserver* const observer_;
  const absl::Time deadline_;
  const absl::StatusOr<bool> fp32_;  // whether fp32 is asked for
  const Stopwatch total_;
  // Shared with the job, which may outlive the call.
  const std::shared_ptr<std::atomic<bool>> cancelled_ =
      std::make_shared<std::atomic<bool>>(false);

  // One thread at a time: the caller's until queued, then the workers'.
  CallGate::Backend backend_;
  bool entered_ = false;
  size_t queue_ = 0;
  size_t held_tokens_ = 0;
  std::optional<TaskRun<T>> run_;
  RequestReport report_;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_TASK_CALL_H_
