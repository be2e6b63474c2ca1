// A failed call on one line, for people and for machines.

#ifndef TOOLS_CLIENT_ERROR_LINE_H_
#define TOOLS_CLIENT_ERROR_LINE_H_

#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

namespace deberta::tools {

struct FieldViolation {
  std::string field;
  std::string description;
};

// The google.rpc.BadRequest violations that travel with the status, if any.
std::vector<FieldViolation> FieldViolations(const grpc::Status& status);

// "INVALID_ARGUMENT: message (inputs[3].text: description)".
std::string ErrorLine(const grpc::Status& status);

// {"error":{"code":...,"message":...,"field_violations":[...]}}.
std::string ErrorJson(const grpc::Status& status);

}  // namespace deberta::tools

#endif  // TOOLS_CLIENT_ERROR_LINE_H_
