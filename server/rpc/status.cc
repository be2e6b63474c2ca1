#include "server/rpc/status.h"

#include <cstdint>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/base/error_reason.h"
#include "server/base/retry_delay.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

constexpr char kDomain[] = "deberta.v1";
// Where it is not known when there will be room.
constexpr absl::Duration kDefaultRetryDelay = absl::Seconds(1);

// At most `limit` bytes, without half a UTF-8 character at the end.
std::string Shortened(std::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string(text);
  size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return std::string(text.substr(0, end));
}

std::string DefaultReason(const absl::Status& status) {
  switch (PublicCode(status)) {
    case absl::StatusCode::kInvalidArgument:
      return "INVALID_INPUT";
    case absl::StatusCode::kNotFound:
      return "MODEL_NOT_FOUND";
    case absl::StatusCode::kFailedPrecondition:
      return "TASK_NOT_SUPPORTED";
    case absl::StatusCode::kResourceExhausted:
      return "QUEUE_FULL";
    case absl::StatusCode::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case absl::StatusCode::kCancelled:
      return "CANCELLED";
    case absl::StatusCode::kUnavailable:
      return "SHUTTING_DOWN";
    case absl::StatusCode::kUnauthenticated:
      return "UNAUTHENTICATED";
    case absl::StatusCode::kPermissionDenied:
      return "MODEL_NOT_ALLOWED";
    default:
      return "INTERNAL";
  }
}

}  // namespace

absl::StatusCode PublicCode(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return status.code();
    default:
      return absl::StatusCode::kInternal;
  }
}

std::string PublicReason(const absl::Status& status) {
  if (status.ok()) return "";
  std::string reason = ReasonOf(status);
  return reason.empty() ? DefaultReason(status) : reason;
}

namespace {

grpc::Status WithDetails(const absl::Status& status) {
  // The numbers of the canonical codes are the same everywhere.
  const int code = static_cast<int>(PublicCode(status));
  const std::string message = Shortened(
      {status.message().data(), status.message().size()}, kMaxMessageBytes);

  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(PublicReason(status));
  info.set_domain(kDomain);
  details.add_details()->PackFrom(info);
  if (const std::string field = InputErrorField(status); !field.empty()) {
    google::rpc::BadRequest bad_request;
    auto* violation = bad_request.add_field_violations();
    violation->set_field(field);
    violation->set_description(message);
    details.add_details()->PackFrom(bad_request);
  }
  if (PublicCode(status) == absl::StatusCode::kResourceExhausted) {
    google::rpc::RetryInfo retry;
    const int64_t nanos = absl::ToInt64Nanoseconds(
        RetryDelayOf(status).value_or(kDefaultRetryDelay));
    retry.mutable_retry_delay()->set_seconds(nanos / 1'000'000'000);
    retry.mutable_retry_delay()->set_nanos(
        static_cast<int32_t>(nanos % 1'000'000'000));
    details.add_details()->PackFrom(retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(code), message,
                      details.SerializeAsString());
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  try {
    return WithDetails(status);
  } catch (...) {
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "");
  }
}

}  // namespace deberta::server
