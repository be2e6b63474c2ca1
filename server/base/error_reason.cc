#include "server/base/error_reason.h"

#include "absl/strings/cord.h"

namespace deberta::server {
namespace {

constexpr char kPayload[] = "deberta.v1/reason";

}  // namespace

absl::Status WithReason(absl::Status status, std::string_view reason) {
  status.SetPayload(kPayload, absl::Cord(std::string(reason)));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace deberta::server
