// One call of one task: the handler that all task RPCs share.

#ifndef SERVER_RPC_TASK_CALL_H_
#define SERVER_RPC_TASK_CALL_H_

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "deberta/v1/deberta.pb.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/batching/scheduler.h"
#include "server/rpc/call_gate.h"
#include "server/rpc/convert.h"
#include "server/rpc/request_report.h"
#include "server/rpc/requested_precision.h"
#include "server/rpc/status.h"
#include "server/stopwatch.h"

namespace deberta::server {

// Owns itself from Start() until gRPC is done with it. `Task` is a class as
// server/tasks/task.h describes.
template <TaskKind kKind, typename Task, typename Request, typename Response>
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
        exact_(AsksForExact(context)) {
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
  // OK: the job's `done` answers the call.
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
    if (!exact_.ok()) return exact_.status();
    absl::StatusOr<size_t> queue = QueueFor(model(), *index, *exact_);
    if (!queue.ok()) return queue.status();
    queue_ = *queue;
    if (absl::Status s = Tokenize(model().task_model); !s.ok()) return s;

    Job job = {.sequences = task_->sequences(),
               .deadline = deadline_,
               .cancelled = [flag = cancelled_] { return flag->load(); },
               .done =
                   [this](absl::StatusOr<JobOutput> output) {
                     Complete(Answer(std::move(output)));
                   }};
    for (const Coverage& coverage : task_->coverage()) {
      ++report_.inputs;
      report_.tokens += coverage.tokens_used;
      report_.truncated_inputs += coverage.truncated ? 1 : 0;
    }
    report_.accepted = true;
    absl::Status submitted = backend_.scheduler->Submit(queue_, std::move(job));
    return submitted.ok() ? submitted : Refused(std::move(submitted));
  }

  absl::Status Tokenize(const TaskModel& task_model) {
    const Stopwatch watch;
    auto request = FromProto(request_);
    if (!request.ok()) return request.status();
    absl::StatusOr<Task> task = Task::Create(*std::move(request), task_model);
    report_.tokenize = watch.elapsed();
    if (!task.ok()) return task.status();
    task_.emplace(*std::move(task));
    return absl::OkStatus();
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
  absl::Status Answer(absl::StatusOr<JobOutput> output) {
    if (absl::Now() >= deadline_)
      return absl::DeadlineExceededError("the deadline passed");
    if (cancelled_->load())
      return absl::CancelledError("the caller cancelled the request");
    if (!output.ok()) return output.status();
    report_.queue = output->queue_time;
    report_.compute = output->compute_time;
    auto results = task_->Finish(output->sequences);
    if (!results.ok()) return results.status();
    response_->mutable_results()->Reserve(static_cast<int>(results->size()));
    for (const auto& result : *results)
      ToProto(result, response_->add_results());
    ToProto(model(), response_->mutable_model());
    if (*exact_)
      response_->mutable_model()->set_precision(std::string(kExactPrecision));
    SetTiming(*output, response_->mutable_timing());
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
  const absl::StatusOr<bool> exact_;  // whether fp32 is asked for
  const Stopwatch total_;
  // Shared with the job, which may outlive the call.
  const std::shared_ptr<std::atomic<bool>> cancelled_ =
      std::make_shared<std::atomic<bool>>(false);

  // One thread at a time: the caller's until queued, then the worker's.
  CallGate::Backend backend_;
  bool entered_ = false;
  size_t queue_ = 0;
  std::optional<Task> task_;
  RequestReport report_;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_TASK_CALL_H_
