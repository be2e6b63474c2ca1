// What the commands of tasks are made of.

#ifndef TOOLS_CLIENT_COMMAND_PARTS_H_
#define TOOLS_CLIENT_COMMAND_PARTS_H_

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/client/command.h"
#include "tools/table.h"

namespace deberta::tools {

using Rows = std::vector<std::vector<std::string>>;

// Enum values without their prefix, in lower case: "simple".
std::string ShortName(const google::protobuf::EnumValueDescriptor& value);

// Sets the enum field `name` of `request` to the value called `value`; ""
// leaves it unspecified.
absl::Status SetEnum(const std::string& name, const std::string& value,
                     google::protobuf::Message* request);

std::string ToJson(const google::protobuf::Message& message);

// With four decimals.
std::string Score(float score);

template <typename Request>
void AddTextInput(const Input& input, Request* request) {
  v1::TextInput& added = *request->add_inputs();
  added.set_text(input.text);
  if (!input.pair.empty()) added.set_text_pair(input.pair);
}

template <typename Request>
void AddText(const Input& input, Request* request) {
  request->add_inputs(input.text);
}

template <typename Result>
Rows LabelRows(const Result& result) {
  Rows rows;
  for (const v1::LabelScore& label : result.labels()) {
    rows.push_back({label.label(), Score(label.score())});
  }
  return rows;
}

// A command that sends copies of `request` with the inputs added by `add`, and
// shows each result as the rows that `show` makes.
template <typename Request, typename Response, typename Add, typename Show>
Command TaskCommand(Request request,
                    grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                 const Request&, Response*),
                    std::vector<Column> columns, Add add, Show show) {
  return [=](Stub& stub, grpc::ClientContext& context,
             std::span<const Input> inputs,
             std::vector<Answer>* answers) -> grpc::Status {
    Request full = request;
    for (const Input& input : inputs) add(input, &full);
    Response response;
    if (grpc::Status status = (stub.*method)(&context, full, &response);
        !status.ok()) {
      return status;
    }
    const auto results = static_cast<size_t>(response.results_size());
    if (results != inputs.size()) {
      return grpc::Status(
          grpc::StatusCode::INTERNAL,
          absl::StrCat("expected ", inputs.size(), " results, got ", results));
    }
    for (const auto& result : response.results()) {
      answers->push_back({.json = ToJson(result),
                          .table = {.columns = columns, .rows = show(result)}});
    }
    return grpc::Status::OK;
  };
}

}  // namespace deberta::tools

#endif  // TOOLS_CLIENT_COMMAND_PARTS_H_
