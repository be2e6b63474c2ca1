// The metadata by which a call says how urgent it is:
// x-deberta-priority: high, normal (as without) or low.

#ifndef SERVER_RPC_REQUESTED_PRIORITY_H_
#define SERVER_RPC_REQUESTED_PRIORITY_H_

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "server/batching/job.h"

namespace deberta::server {

inline constexpr char kPriorityMetadata[] = "x-deberta-priority";

// InvalidArgument (reason PRIORITY_UNKNOWN) for any other value; of several the
// last counts.
absl::StatusOr<Priority> RequestedPriority(
    const grpc::ServerContextBase& context);

}  // namespace deberta::server

#endif  // SERVER_RPC_REQUESTED_PRIORITY_H_
