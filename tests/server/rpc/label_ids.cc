// Prints the token ids that a model of the caller's labels is to read: for each
// line of the standard input {"rpc": "ExtractEntities", "request": {...}}, the
// request of one input in proto's JSON, a line with an array.
//
//   label_ids DIRECTORY < REQUESTS

#include <unistd.h>

#include <iostream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "deberta/v1/deberta.pb.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"
#include "server/base/log.h"
#include "server/models/load_model.h"
#include "server/rpc/convert.h"
#include "tests/server/tasks/whole_task.h"

namespace deberta::server {
namespace {

template <typename T, typename Message>
absl::StatusOr<std::string> Ids(const std::string& json,
                                const TaskModel& model) {
  Message message;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(json, &message);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(json, ": ", std::string(parsed.message())));
  }
  auto request = FromProto(std::move(message));
  if (!request.ok()) return request.status();
  const auto task = Whole(T::Create(*std::move(request), model));
  if (!task.ok()) return task.status();
  if (task->sequences().size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        json, ": expected one sequence, got ", task->sequences().size()));
  }
  return absl::StrCat("[", absl::StrJoin(task->sequences()[0].ids, ", "), "]");
}

absl::StatusOr<std::string> IdsOfLine(const std::string& line,
                                      const TaskModel& model) {
  const auto json = nlohmann::json::parse(line, nullptr,
                                          /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("rpc") || !json.contains("request")) {
    return absl::InvalidArgumentError(
        absl::StrCat(line, ": expected \"rpc\" and \"request\""));
  }
  const std::string request = json["request"].dump();
  if (json["rpc"] == "ExtractEntities")
    return Ids<ExtractEntitiesTask, v1::ExtractEntitiesRequest>(request, model);
  if (json["rpc"] == "ExtractStructured")
    return Ids<ExtractStructuredTask, v1::ExtractStructuredRequest>(request,
                                                                    model);
  if (json["rpc"] == "ClassifyZeroShot")
    return Ids<ZeroShotTask, v1::ClassifyZeroShotRequest>(request, model);
  return absl::InvalidArgumentError(absl::StrCat(line, ": no such rpc"));
}

absl::Status Run(const std::string& directory) {
  Log log(STDERR_FILENO);
  const auto served =
      LoadModel({.name = "model", .directory = directory}, {}, &log);
  if (!served.ok()) return served.status();
  for (std::string line; std::getline(std::cin, line);) {
    const auto ids = IdsOfLine(line, served->task_model);
    if (!ids.ok()) return ids.status();
    std::cout << *ids << "\n";
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace deberta::server

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "label_ids: expected DIRECTORY\n";
    return 2;
  }
  const absl::Status status = deberta::server::Run(argv[1]);
  if (status.ok()) return 0;
  std::cerr << "label_ids: " << status.message() << "\n";
  return 1;
}
