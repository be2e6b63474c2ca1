#include "server/rpc/requested_precision.h"

#include "absl/strings/str_cat.h"
#include "server/base/error_reason.h"

namespace deberta::server {

absl::StatusOr<bool> AsksForExact(const grpc::ServerContextBase& context) {
  const auto [begin, end] =
      context.client_metadata().equal_range(kPrecisionMetadata);
  for (auto it = begin; it != end; ++it) {
    if (std::string_view(it->second.data(), it->second.size()) ==
        kExactPrecision) {
      continue;
    }
    return WithReason(absl::InvalidArgumentError(absl::StrCat(
                          "metadata ", kPrecisionMetadata,
                          ": expected fp32, or none for the precision that the "
                          "model is served in")),
                      "PRECISION_UNKNOWN");
  }
  return begin != end;
}

absl::StatusOr<size_t> QueueFor(const ServedModel& model, size_t index,
                                bool exact) {
  if (!exact || model.precision == kExactPrecision) return index;
  if (model.exact_queue.has_value()) return *model.exact_queue;
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        "model ", model.name, " is served in ", model.precision,
                        " alone; a server with --keep_fp32 computes fp32 too")),
                    "FP32_NOT_KEPT");
}

}  // namespace deberta::server
