#include "server/rpc/requested_priority.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "server/base/error_reason.h"

namespace deberta::server {

absl::StatusOr<Priority> RequestedPriority(
    const grpc::ServerContextBase& context, Priority highest) {
  Priority priority = std::max(Priority::kNormal, highest);
  const auto [begin, end] =
      context.client_metadata().equal_range(kPriorityMetadata);
  for (auto it = begin; it != end; ++it) {
    const std::optional<Priority> asked =
        ParsePriority(std::string_view(it->second.data(), it->second.size()));
    if (!asked.has_value()) {
      return WithReason(absl::InvalidArgumentError(
                            absl::StrCat("metadata ", kPriorityMetadata,
                                         ": expected high, normal or low")),
                        "PRIORITY_UNKNOWN");
    }
    priority = *asked;
  }
  if (priority >= highest) return priority;
  return WithReason(
      absl::PermissionDeniedError(absl::StrCat(
          "metadata ", kPriorityMetadata, ": higher than this token allows")),
      "PRIORITY_NOT_ALLOWED");
}

}  // namespace deberta::server
