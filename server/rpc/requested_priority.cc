#include "server/rpc/requested_priority.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "server/base/error_reason.h"

namespace deberta::server {

absl::StatusOr<Priority> RequestedPriority(
    const grpc::ServerContextBase& context) {
  Priority priority = Priority::kNormal;
  const auto [begin, end] =
      context.client_metadata().equal_range(kPriorityMetadata);
  for (auto it = begin; it != end; ++it) {
    const std::string_view value(it->second.data(), it->second.size());
    if (value == "high") {
      priority = Priority::kHigh;
    } else if (value == "normal") {
      priority = Priority::kNormal;
    } else if (value == "low") {
      priority = Priority::kLow;
    } else {
      return WithReason(absl::InvalidArgumentError(
                            absl::StrCat("metadata ", kPriorityMetadata,
                                         ": expected high, normal or low")),
                        "PRIORITY_UNKNOWN");
    }
  }
  return priority;
}

}  // namespace deberta::server
