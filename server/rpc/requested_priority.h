// The metadata by which a call says how urgent it is:
// x-deberta-priority: high, normal (as without) or low.

#ifndef SERVER_RPC_REQUESTED_PRIORITY_H_
#define SERVER_RPC_REQUESTED_PRIORITY_H_

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "server/base/priority.h"

namespace deberta::server {

inline constexpr char kPriorityMetadata[] = "x-deberta-priority";

// Of several values the last counts. Without one it is normal, or `highest` if
// that is low. InvalidArgument (reason PRIORITY_UNKNOWN) for any other value,
// PermissionDenied (PRIORITY_NOT_ALLOWED) for more than `highest`.
absl::StatusOr<Priority> RequestedPriority(
    const grpc::ServerContextBase& context, Priority highest);

}  // namespace deberta::server

#endif  // SERVER_RPC_REQUESTED_PRIORITY_H_
