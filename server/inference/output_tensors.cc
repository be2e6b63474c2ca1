#include "server/inference/output_tensors.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/util/json_util.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

constexpr char kScores[] = "scores";
constexpr char kEmbedding[] = "embedding";
constexpr char kResult[] = "result";

int64_t Size(int size) { return size; }

// "label", "score" and, where the results have all labels, "scores".
template <typename Results>
std::vector<Tensor> LabelTensors(const Results& results, bool all_labels) {
  std::vector<std::string> labels;
  std::vector<float> best;
  std::vector<float> scores;
  const int columns = results.empty() ? 0 : results.Get(0).labels_size();
  bool all = all_labels && columns > 0;
  for (const auto& result : results) {
    // A model of several outputs has no labels of its own.
    if (result.labels_size() == 0) return {};
    labels.push_back(result.labels(0).label());
    best.push_back(result.labels(0).score());
    if (!all) continue;
    const size_t row = scores.size();
    scores.resize(row + static_cast<size_t>(columns));
    for (const auto& label : result.labels())
      scores.at(row + static_cast<size_t>(label.index())) = label.score();
  }
  const int64_t rows = Size(results.size());
  std::vector<Tensor> tensors;
  tensors.push_back({"label", {rows}, std::move(labels)});
  tensors.push_back({"score", {rows}, std::move(best)});
  if (all)
    tensors.push_back({kScores, {rows, Size(columns)}, std::move(scores)});
  return tensors;
}

std::vector<Tensor> TypedTensors(const v1::ClassifyResponse& response,
                                 bool all_labels) {
  return LabelTensors(response.results(), all_labels);
}

std::vector<Tensor> TypedTensors(const v1::ClassifyZeroShotResponse& response,
                                 bool all_labels) {
  return LabelTensors(response.results(), all_labels);
}

std::vector<Tensor> TypedTensors(const v1::EncodeResponse& response, bool) {
  std::vector<float> values;
  int size = 0;
  for (const v1::EncodeResult& result : response.results()) {
    if (result.vectors_size() != 1) return {};
    const auto& vector = result.vectors(0).values();
    if (!values.empty() && vector.size() != size) return {};
    size = vector.size();
    values.insert(values.end(), vector.begin(), vector.end());
  }
  return {{kEmbedding,
           {Size(response.results_size()), Size(size)},
           std::move(values)}};
}

std::vector<Tensor> TypedTensors(const v1::RerankResponse& response, bool) {
  std::vector<int32_t> indices;
  std::vector<float> scores;
  for (const v1::RerankResult& result : response.results()) {
    indices.push_back(result.index());
    scores.push_back(result.score());
  }
  const int64_t rows = Size(response.results_size());
  std::vector<Tensor> tensors;
  tensors.push_back({"index", {rows}, std::move(indices)});
  tensors.push_back({"score", {rows}, std::move(scores)});
  return tensors;
}

// Spans and words have no rows of one length.
template <typename Response>
std::vector<Tensor> TypedTensors(const Response&, bool) {
  return {};
}

absl::StatusOr<std::string> Json(const google::protobuf::Message& result) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto status =
      google::protobuf::util::MessageToJsonString(result, &json, options);
  if (!status.ok())
    return absl::InternalError("a result could not be written as JSON");
  return json;
}

template <typename Response>
absl::StatusOr<Tensor> Results(const Response& response) {
  std::vector<std::string> results;
  for (const auto& result : response.results()) {
    absl::StatusOr<std::string> json = Json(result);
    if (!json.ok()) return json.status();
    results.push_back(*std::move(json));
  }
  return Tensor{kResult, {Size(response.results_size())}, std::move(results)};
}

template <typename Response>
absl::StatusOr<std::vector<Tensor>> Select(
    std::string_view answer, const std::vector<std::string>& wanted,
    bool all_labels) {
  Response response;
  if (!response.ParseFromArray(answer.data(), static_cast<int>(answer.size())))
    return absl::InternalError("the answer could not be read");
  std::vector<Tensor> typed = TypedTensors(response, all_labels);
  if (wanted.empty() && !typed.empty()) return typed;
  std::vector<Tensor> tensors;
  for (const std::string& name :
       wanted.empty() ? std::vector<std::string>{kResult} : wanted) {
    const auto found = std::ranges::find(typed, name, &Tensor::name);
    if (found != typed.end()) {
      tensors.push_back(*found);
    } else if (name == kResult) {
      absl::StatusOr<Tensor> results = Results(response);
      if (!results.ok()) return results.status();
      tensors.push_back(*std::move(results));
    } else {
      std::vector<std::string> names = {kResult};
      for (const Tensor& tensor : typed) names.push_back(tensor.name);
      return InputError(absl::StrCat("outputs[", tensors.size(), "].name"),
                        absl::StrCat("expected, of this answer, one of ",
                                     absl::StrJoin(names, ", ")));
    }
  }
  return tensors;
}

struct Output {
  std::string name;
  std::string datatype;
};

std::vector<Output> OutputsOf(TaskKind task) {
  std::vector<Output> outputs;
  switch (task) {
    case TaskKind::kClassify:
    case TaskKind::kZeroShot:
      outputs = {{"label", "BYTES"}, {"score", "FP32"}, {kScores, "FP32"}};
      break;
    case TaskKind::kEncode:
      outputs = {{kEmbedding, "FP32"}};
      break;
    case TaskKind::kRerank:
      outputs = {{"index", "INT32"}, {"score", "FP32"}};
      break;
    case TaskKind::kTagTokens:
    case TaskKind::kAnswerQuestion:
    case TaskKind::kFillMask:
    case TaskKind::kExtractEntities:
    case TaskKind::kExtractStructured:
      break;
  }
  outputs.push_back({kResult, "BYTES"});
  return outputs;
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> TensorsOf(
    TaskKind task, std::string_view answer,
    const std::vector<std::string>& wanted, bool all_labels) {
  switch (task) {
    case TaskKind::kClassify:
      return Select<v1::ClassifyResponse>(answer, wanted, all_labels);
    case TaskKind::kTagTokens:
      return Select<v1::TagTokensResponse>(answer, wanted, all_labels);
    case TaskKind::kAnswerQuestion:
      return Select<v1::AnswerQuestionResponse>(answer, wanted, all_labels);
    case TaskKind::kFillMask:
      return Select<v1::FillMaskResponse>(answer, wanted, all_labels);
    case TaskKind::kZeroShot:
      return Select<v1::ClassifyZeroShotResponse>(answer, wanted, all_labels);
    case TaskKind::kEncode:
      return Select<v1::EncodeResponse>(answer, wanted, all_labels);
    case TaskKind::kExtractEntities:
      return Select<v1::ExtractEntitiesResponse>(answer, wanted, all_labels);
    case TaskKind::kRerank:
      return Select<v1::RerankResponse>(answer, wanted, all_labels);
    case TaskKind::kExtractStructured:
      return Select<v1::ExtractStructuredResponse>(answer, wanted, all_labels);
  }
  return absl::InternalError("no tensors of this task");
}

std::vector<std::string> OutputNames(TaskKind task) {
  std::vector<std::string> names;
  for (const Output& output : OutputsOf(task)) names.push_back(output.name);
  return names;
}

void DescribeOutputs(TaskKind task, const v1::GetModelResponse& model,
                     inference::ModelMetadataResponse* metadata) {
  for (const Output& output : OutputsOf(task)) {
    auto* described = metadata->add_outputs();
    described->set_name(output.name);
    described->set_datatype(output.datatype);
    described->add_shape(-1);
    if (output.name == kScores)
      described->add_shape(task == TaskKind::kClassify
                               ? Size(model.labels_size())
                               : int64_t{-1});
    if (output.name == kEmbedding)
      described->add_shape(model.default_vector_size());
  }
}

}  // namespace deberta::server
