// How long a caller that is refused should wait before it asks again, beside a
// status.

#ifndef SERVER_BASE_RETRY_DELAY_H_
#define SERVER_BASE_RETRY_DELAY_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace deberta::server {

// The status, with this delay in place of any before. OK stays OK.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);
// The delay of a status made by WithRetryDelay(); none of others.
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

}  // namespace deberta::server

#endif  // SERVER_BASE_RETRY_DELAY_H_
