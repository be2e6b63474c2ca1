// The subcommands of deberta-client: inputs in, answers for machines and for
// people out.

#ifndef TOOLS_CLIENT_COMMAND_H_
#define TOOLS_CLIENT_COMMAND_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "deberta/v1/deberta.grpc.pb.h"
#include "tools/table.h"

namespace deberta::tools {

using Stub = deberta::v1::DebertaService::Stub;

struct Input {
  std::string text;
  std::string pair;  // "" = absent
};

// The answer to one input in both of its forms.
struct Answer {
  std::string json;  // one object on one line
  Table table;
  std::string heading = {};  // "": the input's text
};

// What the flags say; enum values by their name without prefix ("simple"), ""
// for the server's default.
struct Settings {
  std::string model;
  std::string function;
  std::string aggregation;
  std::string pooling;
  std::string rule;
  std::string offset_unit;
  std::string length_policy;
  std::string question;
  std::string query;
  std::string overlap;
  std::string schema;
  std::string hypothesis_template;
  std::string prompt;
  std::vector<std::string> choices;
  std::vector<std::string> labels;
  std::vector<std::string> targets;
  std::vector<std::string> ignore_labels;
  int32_t top_k = 0;
  int32_t stride = 0;
  int32_t max_answer_tokens = 0;
  double null_threshold = 0;
  double threshold = 0;  // 0: the server's
  bool handle_impossible_answer = false;
  bool multi_label = false;
  bool raw_scores = false;
  bool keep_ignored = false;
  bool normalize = false;
};

// Sends `inputs` as one request; appends one answer an input, or nothing.
using Command = std::function<grpc::Status(Stub&, grpc::ClientContext&,
                                           std::span<const Input> inputs,
                                           std::vector<Answer>* answers)>;

// The command of a task: classify, tag, answer, fill, zero-shot, extract,
// structured, rerank, embed or tokenize. InvalidArgument for another name, an
// enum value that does not exist, or a setting that the task needs and lacks.
absl::StatusOr<Command> MakeTaskCommand(std::string_view name,
                                        const Settings& settings);

// Appends one answer a served model. `set_up` prepares the context of each
// call.
grpc::Status DescribeModels(
    Stub& stub, const std::function<void(grpc::ClientContext&)>& set_up,
    std::vector<Answer>* answers);

}  // namespace deberta::tools

#endif  // TOOLS_CLIENT_COMMAND_H_
