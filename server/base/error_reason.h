// The machine-readable reason that a status carries to the caller.

#ifndef SERVER_BASE_ERROR_REASON_H_
#define SERVER_BASE_ERROR_REASON_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace deberta::server {

// `status` with the reason of its ErrorInfo, in UPPER_SNAKE_CASE.
absl::Status WithReason(absl::Status status, std::string_view reason);

// The reason given so, or "".
std::string ReasonOf(const absl::Status& status);

}  // namespace deberta::server

#endif  // SERVER_BASE_ERROR_REASON_H_
