#include "tools/client/command.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/client/command_parts.h"
#include "tools/client/label_commands.h"

namespace deberta::tools {
namespace {

using google::protobuf::EnumValueDescriptor;

constexpr size_t kShownVectorValues = 6;

// Of a head with several outputs, the labels of each with its name before them.
Rows ClassifyRows(const v1::ClassifyResult& result) {
  if (result.outputs().empty()) return LabelRows(result);
  Rows rows;
  for (const v1::ClassifyOutput& output : result.outputs()) {
    for (const v1::LabelScore& label : output.labels()) {
      rows.push_back({absl::StrCat(output.name(), ": ", label.label()),
                      Score(label.score())});
    }
    if (output.has_score()) {
      rows.push_back(
          {output.name(), Score(static_cast<float>(output.score()))});
    }
  }
  return rows;
}

absl::StatusOr<Command> Classify(const Settings& settings) {
  v1::ClassifyRequest request;
  request.set_model(settings.model);
  request.set_top_k(settings.top_k);
  request.set_stride(settings.stride);
  absl::Status status = SetEnum("function", settings.function, &request);
  status.Update(SetEnum("length_policy", settings.length_policy, &request));
  if (!status.ok()) return status;
  const auto add = [choices = settings.choices](const Input& input,
                                                v1::ClassifyRequest* to) {
    AddTextInput(input, to);
    v1::TextInput& added = *to->mutable_inputs(to->inputs_size() - 1);
    for (const std::string& choice : choices) added.add_choices(choice);
  };
  return TaskCommand(std::move(request), &Stub::Classify,
                     {{"label"}, {"score", true}}, add, ClassifyRows);
}

absl::StatusOr<Command> Tag(const Settings& settings) {
  v1::TagTokensRequest request;
  request.set_model(settings.model);
  request.set_stride(settings.stride);
  request.set_keep_ignored(settings.keep_ignored);
  for (const std::string& label : settings.ignore_labels) {
    request.add_ignore_labels(label);
  }
  absl::Status status = SetEnum("aggregation", settings.aggregation, &request);
  status.Update(SetEnum("offset_unit", settings.offset_unit, &request));
  status.Update(SetEnum("length_policy", settings.length_policy, &request));
  if (!status.ok()) return status;
  return TaskCommand(
      std::move(request), &Stub::TagTokens,
      {{"entity"}, {"label"}, {"score", true}, {"start", true}, {"end", true}},
      AddText<v1::TagTokensRequest>, [](const v1::TagTokensResult& result) {
        Rows rows;
        for (const v1::Entity& entity : result.entities()) {
          rows.push_back({entity.text(), entity.label(), Score(entity.score()),
                          absl::StrCat(entity.start()),
                          absl::StrCat(entity.end())});
        }
        return rows;
      });
}

absl::StatusOr<Command> AnswerQuestions(const Settings& settings) {
  if (settings.question.empty()) {
    return absl::InvalidArgumentError(
        "answer needs --question=TEXT; the inputs are the contexts");
  }
  v1::AnswerQuestionRequest request;
  request.set_model(settings.model);
  request.set_top_k(settings.top_k);
  request.set_stride(settings.stride);
  request.set_max_answer_tokens(settings.max_answer_tokens);
  request.set_handle_impossible_answer(settings.handle_impossible_answer);
  request.set_null_threshold(static_cast<float>(settings.null_threshold));
  absl::Status status = SetEnum("rule", settings.rule, &request);
  status.Update(SetEnum("offset_unit", settings.offset_unit, &request));
  if (!status.ok()) return status;
  return TaskCommand(
      std::move(request), &Stub::AnswerQuestion,
      {{"answer"}, {"score", true}, {"start", true}, {"end", true}},
      [question = settings.question](const Input& input,
                                     v1::AnswerQuestionRequest* full) {
        v1::QuestionInput& added = *full->add_inputs();
        added.set_question(question);
        added.set_context(input.text);
      },
      [](const v1::AnswerQuestionResult& result) {
        Rows rows;
        for (const v1::Answer& answer : result.answers()) {
          rows.push_back({answer.no_answer() ? "(no answer)" : answer.text(),
                          Score(answer.score()), absl::StrCat(answer.start()),
                          absl::StrCat(answer.end())});
        }
        return rows;
      });
}

absl::StatusOr<Command> Fill(const Settings& settings) {
  v1::FillMaskRequest request;
  request.set_model(settings.model);
  request.set_top_k(settings.top_k);
  for (const std::string& target : settings.targets) {
    request.add_targets(target);
  }
  absl::Status status =
      SetEnum("length_policy", settings.length_policy, &request);
  if (!status.ok()) return status;
  return TaskCommand(
      std::move(request), &Stub::FillMask,
      {{"mask", true}, {"word"}, {"score", true}, {"sequence"}},
      AddText<v1::FillMaskRequest>, [](const v1::FillMaskResult& result) {
        Rows rows;
        for (const v1::MaskPrediction& mask : result.masks()) {
          for (const v1::MaskCandidate& candidate : mask.candidates()) {
            rows.push_back({absl::StrCat(mask.token_index()), candidate.token(),
                            Score(candidate.score()),
                            Shorten(candidate.sequence(), 100)});
          }
        }
        return rows;
      });
}

absl::StatusOr<Command> ZeroShot(const Settings& settings) {
  if (settings.labels.empty()) {
    return absl::InvalidArgumentError("zero-shot needs --labels=LABEL[,...]");
  }
  v1::ClassifyZeroShotRequest request;
  request.set_model(settings.model);
  request.set_stride(settings.stride);
  request.set_multi_label(settings.multi_label);
  request.set_hypothesis_template(settings.hypothesis_template);
  request.set_prompt(settings.prompt);
  for (const std::string& label : settings.labels) request.add_labels(label);
  absl::Status status =
      SetEnum("length_policy", settings.length_policy, &request);
  if (!status.ok()) return status;
  return TaskCommand(std::move(request), &Stub::ClassifyZeroShot,
                     {{"label"}, {"score", true}},
                     AddText<v1::ClassifyZeroShotRequest>,
                     LabelRows<v1::ClassifyZeroShotResult>);
}

absl::StatusOr<Command> Embed(const Settings& settings) {
  v1::EncodeRequest request;
  request.set_model(settings.model);
  request.set_normalize(settings.normalize);
  absl::Status status = SetEnum("pooling", settings.pooling, &request);
  status.Update(SetEnum("length_policy", settings.length_policy, &request));
  if (!status.ok()) return status;
  return TaskCommand(
      std::move(request), &Stub::Encode,
      {{"token"}, {"size", true}, {"norm", true}, {"first values"}},
      AddTextInput<v1::EncodeRequest>, [](const v1::EncodeResult& result) {
        Rows rows;
        for (int i = 0; i < result.vectors_size(); ++i) {
          const auto& values = result.vectors(i).values();
          double squares = 0;
          for (const float value : values) {
            squares += static_cast<double>(value) * value;
          }
          std::vector<std::string> shown;
          for (const float value : values) {
            if (shown.size() == kShownVectorValues) break;
            shown.push_back(absl::StrFormat("%.4f", value));
          }
          rows.push_back({i < result.tokens_size() ? result.tokens(i) : "",
                          absl::StrCat(values.size()),
                          absl::StrFormat("%.4f", std::sqrt(squares)),
                          absl::StrJoin(shown, " ")});
        }
        return rows;
      });
}

absl::StatusOr<Command> Tokenize(const Settings& settings) {
  v1::TokenizeRequest request;
  request.set_model(settings.model);
  absl::Status status = SetEnum("offset_unit", settings.offset_unit, &request);
  if (!status.ok()) return status;
  return TaskCommand(
      std::move(request), &Stub::Tokenize,
      {{"token"}, {"id", true}, {"type", true}, {"start", true}, {"end", true}},
      AddTextInput<v1::TokenizeRequest>, [](const v1::TokenizeResult& result) {
        const int tokens =
            std::min({result.ids_size(), result.tokens_size(),
                      result.token_type_ids_size(), result.offsets_size()});
        Rows rows;
        for (int i = 0; i < tokens; ++i) {
          rows.push_back({result.tokens(i), absl::StrCat(result.ids(i)),
                          absl::StrCat(result.token_type_ids(i)),
                          absl::StrCat(result.offsets(i).start()),
                          absl::StrCat(result.offsets(i).end())});
        }
        return rows;
      });
}

// "int8 (auto; 99.52% of labels as in fp32)"
std::string PrecisionText(const v1::GetModelResponse& model) {
  std::vector<std::string> remarks;
  if (const std::string& requested = model.requested_precision();
      !requested.empty() && requested != model.model().precision()) {
    remarks.push_back(requested);
  }
  if (model.model().precision() != "fp32") {
    remarks.push_back(absl::StrFormat("%.2f%% of labels as in fp32",
                                      model.label_agreement() * 100));
  }
  if (remarks.empty()) return model.model().precision();
  return absl::StrCat(model.model().precision(), " (",
                      absl::StrJoin(remarks, "; "), ")");
}

Answer ModelAnswer(const v1::GetModelResponse& model) {
  std::vector<std::string> tasks;
  for (const int task : model.model().tasks()) {
    const EnumValueDescriptor* value =
        v1::Task_descriptor()->FindValueByNumber(task);
    tasks.push_back(value == nullptr ? absl::StrCat(task) : ShortName(*value));
  }
  Rows rows = {
      {"family", model.model().family()},
      {"precision", PrecisionText(model)},
      {"tasks", absl::StrJoin(tasks, " ")},
      {"labels", Shorten(absl::StrJoin(model.labels(), " "), 100)},
      {"most tokens", absl::StrCat(model.max_tokens())},
      {"layers x hidden",
       absl::StrCat(model.layers(), " x ", model.hidden_size())},
      {"parameters",
       absl::StrFormat("%.2f M",
                       static_cast<double>(model.parameters()) / 1e6)},
      {"memory",
       absl::StrFormat("%.1f MB",
                       static_cast<double>(model.resident_bytes()) / 1e6)},
      {"weights", absl::StrCat(model.weights_format(), " ",
                               model.model().sha256().substr(0, 12))},
      {"tokenizer", model.tokenizer_profile()},
  };
  if (!model.fill_mask_decoder().empty()) {
    rows.push_back({"mask decoder", model.fill_mask_decoder()});
  }
  if (!model.architecture().empty()) {
    rows.push_back({"architecture", model.architecture()});
    rows.push_back({"most words", absl::StrCat(model.max_words())});
  }
  return {.json = ToJson(model),
          .table = {.columns = {{"model"}, {model.model().name()}},
                    .rows = std::move(rows)}};
}

}  // namespace

absl::StatusOr<Command> MakeTaskCommand(std::string_view name,
                                        const Settings& settings) {
  if (name == "classify") return Classify(settings);
  if (name == "tag") return Tag(settings);
  if (name == "answer") return AnswerQuestions(settings);
  if (name == "fill") return Fill(settings);
  if (name == "zero-shot") return ZeroShot(settings);
  if (name == "extract") return ExtractEntities(settings);
  if (name == "structured") return ExtractStructured(settings);
  if (name == "rerank") return Rerank(settings);
  if (name == "embed") return Embed(settings);
  if (name == "tokenize") return Tokenize(settings);
  return absl::InvalidArgumentError(absl::StrCat(
      "no task '", absl::string_view(name.data(), name.size()), "'"));
}

grpc::Status DescribeModels(
    Stub& stub, const std::function<void(grpc::ClientContext&)>& set_up,
    std::vector<Answer>* answers) {
  v1::ListModelsResponse list;
  grpc::ClientContext list_context;
  set_up(list_context);
  if (grpc::Status status = stub.ListModels(&list_context, {}, &list);
      !status.ok()) {
    return status;
  }
  for (const v1::ServedModel& served : list.models()) {
    v1::GetModelRequest request;
    request.set_model(served.name());
    v1::GetModelResponse model;
    grpc::ClientContext context;
    set_up(context);
    if (grpc::Status status = stub.GetModel(&context, request, &model);
        !status.ok()) {
      return status;
    }
    answers->push_back(ModelAnswer(model));
  }
  return grpc::Status::OK;
}

}  // namespace deberta::tools
