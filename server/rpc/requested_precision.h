// The metadata by which a call asks for fp32: x-deberta-precision: fp32.

#ifndef SERVER_RPC_REQUESTED_PRECISION_H_
#define SERVER_RPC_REQUESTED_PRECISION_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "server/models/served_model.h"

namespace deberta::server {

inline constexpr char kPrecisionMetadata[] = "x-deberta-precision";

// Whether fp32 is asked for. InvalidArgument for any other value.
absl::StatusOr<bool> AsksForFp32(const grpc::ServerContextBase& context);

// The queue of a call to the model. FailedPrecondition if it is to be fp32 and
// that was not kept.
absl::StatusOr<size_t> QueueFor(const ServedModel& model, bool fp32);

}  // namespace deberta::server

#endif  // SERVER_RPC_REQUESTED_PRECISION_H_
