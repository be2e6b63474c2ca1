#include "tools/client/label_commands.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/util/json_util.h"
#include "tools/client/command_parts.h"
#include "tools/table.h"

namespace deberta::tools {

absl::StatusOr<Command> ExtractEntities(const Settings& settings) {
  if (settings.labels.empty()) {
    return absl::InvalidArgumentError("extract needs --labels=LABEL[,...]");
  }
  v1::ExtractEntitiesRequest request;
  request.set_model(settings.model);
  for (const std::string& label : settings.labels) {
    v1::EntityLabel& added = *request.add_labels();
    const size_t equals = label.find('=');
    added.set_name(label.substr(0, equals));
    if (equals != label.npos) added.set_description(label.substr(equals + 1));
  }
  if (settings.threshold != 0) {
    request.set_threshold(static_cast<float>(settings.threshold));
  }
  request.set_multi_label(settings.multi_label);
  request.set_stride(settings.stride);
  request.set_top_k(settings.top_k);
  absl::Status status = SetEnum("overlap", settings.overlap, &request);
  status.Update(SetEnum("offset_unit", settings.offset_unit, &request));
  status.Update(SetEnum("length_policy", settings.length_policy, &request));
  if (!status.ok()) return status;
  return TaskCommand(
      std::move(request), &Stub::ExtractEntities,
      {{"entity"}, {"label"}, {"score", true}, {"start", true}, {"end", true}},
      AddText<v1::ExtractEntitiesRequest>,
      [](const v1::ExtractEntitiesResult& result) {
        Rows rows;
        for (const v1::ExtractedEntity& entity : result.entities()) {
          rows.push_back({entity.text(), entity.label(), Score(entity.score()),
                          absl::StrCat(entity.start()),
                          absl::StrCat(entity.end())});
        }
        return rows;
      });
}

absl::StatusOr<Command> ExtractStructured(const Settings& settings) {
  v1::ExtractStructuredRequest request;
  if (settings.schema.empty()) {
    return absl::InvalidArgumentError(
        "structured needs --schema=JSON with \"structures\" or \"relations\"");
  }
  if (const auto read = google::protobuf::util::JsonStringToMessage(
          settings.schema, &request);
      !read.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--schema: ", std::string(read.message())));
  }
  if (!settings.model.empty()) request.set_model(settings.model);
  if (settings.threshold != 0) {
    request.set_threshold(static_cast<float>(settings.threshold));
  }
  if (settings.stride != 0) request.set_stride(settings.stride);
  absl::Status status = SetEnum("offset_unit", settings.offset_unit, &request);
  status.Update(SetEnum("length_policy", settings.length_policy, &request));
  if (!status.ok()) return status;
  return TaskCommand(
      std::move(request), &Stub::ExtractStructured,
      {{"structure"},
       {"field"},
       {"value"},
       {"score", true},
       {"start", true},
       {"end", true}},
      AddText<v1::ExtractStructuredRequest>,
      [](const v1::ExtractStructuredResult& result) {
        Rows rows;
        int number = 0;
        const auto add = [&](const std::string& name, const std::string& field,
                             const v1::ExtractedValue& value) {
          rows.push_back({absl::StrCat(name, " ", number), field, value.text(),
                          Score(value.score()),
                          value.has_start() ? absl::StrCat(value.start()) : "",
                          value.has_end() ? absl::StrCat(value.end()) : ""});
        };
        for (const v1::ExtractedStructure& structure : result.structures()) {
          ++number;
          for (const v1::ExtractedField& field : structure.fields()) {
            for (const v1::ExtractedValue& value : field.values())
              add(structure.name(), field.name(), value);
          }
        }
        for (const v1::ExtractedRelation& relation : result.relations()) {
          ++number;
          add(relation.name(), "head", relation.head());
          add(relation.name(), "tail", relation.tail());
        }
        return rows;
      });
}

absl::StatusOr<Command> Rerank(const Settings& settings) {
  if (settings.query.empty()) {
    return absl::InvalidArgumentError(
        "rerank needs --query=TEXT; the inputs are the documents");
  }
  v1::RerankRequest request;
  request.set_model(settings.model);
  request.set_query(settings.query);
  request.set_top_k(settings.top_k);
  request.set_raw_scores(settings.raw_scores);
  request.set_stride(settings.stride);
  if (absl::Status s =
          SetEnum("length_policy", settings.length_policy, &request);
      !s.ok()) {
    return s;
  }
  return [request](Stub& stub, grpc::ClientContext& context,
                   std::span<const Input> inputs,
                   std::vector<Answer>* answers) -> grpc::Status {
    constexpr size_t kShown = 100;
    v1::RerankRequest full = request;
    for (const Input& input : inputs) full.add_documents(input.text);
    v1::RerankResponse response;
    if (grpc::Status status = stub.Rerank(&context, full, &response);
        !status.ok()) {
      return status;
    }
    std::vector<std::string> lines;
    Rows rows;
    for (const v1::RerankResult& result : response.results()) {
      const auto index = static_cast<size_t>(result.index());
      if (index >= inputs.size()) {
        return grpc::Status(grpc::StatusCode::INTERNAL,
                            absl::StrCat("expected one of ", inputs.size(),
                                         " documents, got ", index));
      }
      lines.push_back(ToJson(result));
      rows.push_back({absl::StrCat(index), Score(result.score()),
                      Shorten(inputs[index].text, kShown)});
    }
    answers->push_back(
        {.json = absl::StrJoin(lines, "\n"),
         .table = {.columns = {{"index", true}, {"score", true}, {"document"}},
                   .rows = std::move(rows)},
         .heading = request.query()});
    return grpc::Status::OK;
  };
}

}  // namespace deberta::tools
