// What became of one call; metrics are made of these.

#ifndef SERVER_RPC_REQUEST_REPORT_H_
#define SERVER_RPC_REQUEST_REPORT_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/tracing/trace_context.h"

namespace deberta::server {

// Why a valid request was turned away.
enum class Rejection {
  kQueueFull,
  kPredictedLate,
  kMemoryFull,
  kTooLarge,
  kDraining,
  kUnauthenticated,
  kNotAllowed,
  kRateLimited
};

// The methods that compute no task; those that do have the tasks' names.
inline constexpr std::string_view kTokenizeMethod = "tokenize";
inline constexpr std::string_view kListModelsMethod = "list_models";
inline constexpr std::string_view kGetModelMethod = "get_model";
// A request in other words than the service's that became none of these.
inline constexpr std::string_view kInferMethod = "infer";

struct RequestReport {
  std::string_view method;  // TaskName(), or one of the above
  // Number of the model's name; none if the call named no model that is served.
  std::optional<size_t> model;
  std::string model_name;  // "" without one
  // As the caller sees it.
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string reason;  // of its ErrorInfo; "" if OK
  std::string message;
  std::optional<Rejection> rejection;

  std::string caller;                 // Caller::name
  std::optional<TraceContext> trace;  // none unless the call has one
  absl::Time start;                   // by the wall clock; for people alone

  // Whether the request was taken; only then are the counts below set.
  bool accepted = false;
  size_t inputs = 0;
  size_t tokens = 0;  // used of the inputs, as their coverage says
  size_t truncated_inputs = 0;

  absl::Duration total;
  absl::Duration until_tokenize;           // from the start
  std::optional<absl::Duration> tokenize;  // none if refused before
  std::optional<absl::Duration> queue;     // none unless computed
  std::optional<absl::Duration> compute;
};

// Called once a call, from any thread.
using RequestObserver = std::function<void(const RequestReport&)>;

}  // namespace deberta::server

#endif  // SERVER_RPC_REQUEST_REPORT_H_
