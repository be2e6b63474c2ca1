#include "server/rpc/requested_precision.h"

#include "absl/strings/str_cat.h"
#include "server/base/error_reason.h"

namespace deberta::server {

absl::StatusOr<bool> AsksForFp32(const grpc::ServerContextBase& context) {
  const auto [begin, end] =
      context.client_metadata().equal_range(kPrecisionMetadata);
  for (auto it = begin; it != end; ++it) {
    if (std::string_view(it->second.data(), it->second.size()) == kFp32) {
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

absl::StatusOr<size_t> QueueFor(const ServedModel& model, bool fp32) {
  if (!fp32) return model.queue;
  if (const auto queue = model.Fp32Queue(); queue.has_value()) return *queue;
  const ModelDescription& told = model.description;
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        "model ", told.name, " is served in ", told.precision,
                        " alone; a server with --keep_fp32 computes fp32 too")),
                    "FP32_NOT_KEPT");
}

}  // namespace deberta::server
