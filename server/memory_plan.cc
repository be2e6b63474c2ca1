#include "server/memory_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/memory_guard.h"
#include "server/base/resident_memory.h"

namespace deberta::server {
namespace {

// Without less no request of a usual size would be let in.
constexpr size_t kLeastRequests = size_t{16} << 20;
// Of a connection, as measured (docs/connections.md), and half as much again.
constexpr size_t kConnectionBytes = 32 << 10;
// Of a batch, by measurement (docs/limits.md).
constexpr size_t kBytesPerTokenAndUnit = 40;
constexpr size_t kLogitTileBytes = size_t{16} << 20;

size_t WorkspaceBytes(const Options& options, const ServedModels& models) {
  size_t largest = 0;
  for (const auto& model : models) {
    const size_t tokens =
        std::max(options.max_batch_tokens, model->task_model.max_tokens);
    size_t bytes = tokens * kBytesPerTokenAndUnit *
                   static_cast<size_t>(model->task_model.config->hidden_size);
    if (model->network->head() == model::Head::kMaskedLanguageModel)
      bytes += kLogitTileBytes;
    largest = std::max(largest, bytes);
  }
  return largest *
         static_cast<size_t>(std::min(options.workers, options.threads));
}

absl::Status DoesNotFit(const MemoryPlan& plan) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "the memory limit is ", *plan.limit, " bytes, and the server may take ",
      plan.ceiling() + plan.reserve, ": ", plan.loaded,
      " of the program and its models (--models, --precision), ",
      plan.workspaces, " of batches (--workers, --max_batch_tokens), ",
      plan.connections, " of connections (--max_connections), ",
      plan.transports, " of requests that arrive (--max_request_bytes), ",
      plan.requests, " of calls (--max_inflight_bytes), ", plan.reserve,
      " to stay free"));
}

}  // namespace

absl::StatusOr<MemoryPlan> FitRequests(MemoryPlan plan,
                                       std::optional<size_t> requests) {
  if (plan.limit.has_value()) plan.reserve = MemoryReserve(*plan.limit);
  plan.requests = requests.value_or(kDefaultInflightBytes);
  if (!plan.limit.has_value()) return plan;
  const size_t others = plan.ceiling() - plan.requests + plan.reserve;
  if (!requests.has_value()) {
    const size_t left = *plan.limit > others ? *plan.limit - others : 0;
    plan.requests = std::clamp(left, kLeastRequests, kDefaultInflightBytes);
  }
  if (others + plan.requests > *plan.limit) return DoesNotFit(plan);
  return plan;
}

absl::StatusOr<MemoryPlan> PlanMemory(const Options& options,
                                      const ServedModels& models) {
  return FitRequests({.loaded = AnonymousBytes(),
                      .workspaces = WorkspaceBytes(options, models),
                      .connections = kConnectionBytes *
                                     options.connections.limits.max_connections,
                      .transports = options.transport_bytes,
                      .limit = options.loading.memory_bytes},
                     options.requested_inflight_bytes);
}

}  // namespace deberta::server
