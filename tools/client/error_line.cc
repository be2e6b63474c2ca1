#include "tools/client/error_line.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace deberta::tools {
namespace {

std::string CodeName(grpc::StatusCode code) {
  static constexpr std::array kNames = {
      "OK",
      "CANCELLED",
      "UNKNOWN",
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
      "PERMISSION_DENIED",
      "RESOURCE_EXHAUSTED",
      "FAILED_PRECONDITION",
      "ABORTED",
      "OUT_OF_RANGE",
      "UNIMPLEMENTED",
      "INTERNAL",
      "UNAVAILABLE",
      "DATA_LOSS",
      "UNAUTHENTICATED",
  };
  const auto index = static_cast<size_t>(code);
  return index < kNames.size() ? kNames[index] : absl::StrCat("CODE_", index);
}

}  // namespace

std::vector<FieldViolation> FieldViolations(const grpc::Status& status) {
  std::vector<FieldViolation> violations;
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return violations;
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::BadRequest bad_request;
    if (!any.UnpackTo(&bad_request)) continue;
    for (const auto& violation : bad_request.field_violations()) {
      violations.push_back(
          {.field = violation.field(), .description = violation.description()});
    }
  }
  return violations;
}

std::string ErrorLine(const grpc::Status& status) {
  std::string line =
      absl::StrCat(CodeName(status.error_code()), ": ", status.error_message());
  for (const FieldViolation& violation : FieldViolations(status)) {
    // Servers often repeat the description as the message.
    if (line.find(violation.description) != std::string::npos) {
      if (line.find(violation.field) == std::string::npos) {
        absl::StrAppend(&line, " (", violation.field, ")");
      }
      continue;
    }
    absl::StrAppend(&line, " (", violation.field, ": ", violation.description,
                    ")");
  }
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string ErrorJson(const grpc::Status& status) {
  google::protobuf::Struct object;
  auto& error = *(*object.mutable_fields())["error"].mutable_struct_value();
  auto& fields = *error.mutable_fields();
  fields["code"].set_string_value(CodeName(status.error_code()));
  fields["message"].set_string_value(status.error_message());
  auto* list = fields["field_violations"].mutable_list_value();
  for (const FieldViolation& violation : FieldViolations(status)) {
    auto& entry = *list->add_values()->mutable_struct_value()->mutable_fields();
    entry["field"].set_string_value(violation.field);
    entry["description"].set_string_value(violation.description);
  }
  std::string json;
  // Strings from the wire are UTF-8, which is all that could fail here.
  (void)google::protobuf::util::MessageToJsonString(object, &json);
  return json;
}

}  // namespace deberta::tools
