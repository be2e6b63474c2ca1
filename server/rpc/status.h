// absl::Status -> grpc::Status with machine-readable details. Without a reason
// of its own (base/error_reason.h) a status has that of its code.

#ifndef SERVER_RPC_STATUS_H_
#define SERVER_RPC_STATUS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace deberta::server {

// The longest message sent: it travels in HTTP/2 trailers.
inline constexpr size_t kMaxMessageBytes = 1024;

// The code that callers see: codes outside the API's list are a bug, INTERNAL.
absl::StatusCode PublicCode(const absl::Status& status);

// The reason that callers see; "" if OK.
std::string PublicReason(const absl::Status& status);

// The details hold an ErrorInfo; for an InputError a BadRequest with its field;
// for RESOURCE_EXHAUSTED a RetryInfo (base/retry_delay.h; a second if none is
// known). What cannot be told in full for want of memory is RESOURCE_EXHAUSTED
// and no more.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace deberta::server

#endif  // SERVER_RPC_STATUS_H_
