// What the process may come to hold, in parts, against what it is allowed.

#ifndef SERVER_MEMORY_PLAN_H_
#define SERVER_MEMORY_PLAN_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "server/models/catalog.h"
#include "server/options.h"

namespace deberta::server {

// Bytes.
struct MemoryPlan {
  size_t loaded = 0;       // the program and its models, as measured
  size_t workspaces = 0;   // of the batches that run at once
  size_t connections = 0;  // that are open
  size_t transports = 0;   // what arrives and is not a call yet: gRPC's quota
  size_t requests = 0;     // what calls hold together: see Cost
  size_t reserve = 0;      // stays free, of the limit
  std::optional<size_t> limit = {};

  size_t ceiling() const {
    return loaded + workspaces + connections + transports + requests;
  }
  // What models may bring the process to.
  std::optional<size_t> ForModels() const {
    if (!limit.has_value()) return std::nullopt;
    return *limit - reserve - (ceiling() - loaded);
  }
};

// `plan` with the rest filled in: `requests` as asked for, else what the other
// parts leave of the limit, at most 200 MiB. ResourceExhausted, with every part
// and the flag that lowers it, where they do not fit into the limit.
absl::StatusOr<MemoryPlan> FitRequests(MemoryPlan plan,
                                       std::optional<size_t> requests);

// Of what is loaded now and served.
absl::StatusOr<MemoryPlan> PlanMemory(const Options& options,
                                      const ServedModels& models);

}  // namespace deberta::server

#endif  // SERVER_MEMORY_PLAN_H_
