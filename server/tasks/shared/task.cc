#include "server/tasks/shared/task.h"

#include "absl/strings/cord.h"

namespace deberta::server {
namespace {

constexpr char kFieldPayload[] = "deberta.v1/input_field";

}  // namespace

absl::Status InputError(std::string_view field, std::string_view description) {
  std::string message(field);
  message.append(": ").append(description);
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kFieldPayload, absl::Cord(std::string(field)));
  return status;
}

std::string InputErrorField(const absl::Status& status) {
  const auto payload = status.GetPayload(kFieldPayload);
  return payload.has_value() ? std::string(*payload) : std::string();
}

}  // namespace deberta::server
