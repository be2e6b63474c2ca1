// Requests and answers of the Open Inference Protocol in the service's words.

#include "server/inference/infer_messages.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/inference/tensors.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

using inference::ModelInferRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelDescription Serving(TaskKind task, int64_t version = 0) {
  ModelDescription model;
  model.name = "m";
  model.tasks = {task, TaskKind::kEncode};
  model.version = version;
  return model;
}

absl::StatusOr<InferQuestion> Ask(const ModelInferRequest& request,
                                  const ModelDescription& model) {
  return ReadInferRequest(request, &model);
}

void AddInput(const std::string& name, const std::vector<std::string>& texts,
              ModelInferRequest* request) {
  auto* input = request->add_inputs();
  input->set_name(name);
  input->set_datatype("BYTES");
  input->add_shape(static_cast<int64_t>(texts.size()));
  for (const std::string& text : texts)
    input->mutable_contents()->add_bytes_contents(text);
}

ModelInferRequest Asking(const std::string& name,
                         const std::vector<std::string>& texts) {
  ModelInferRequest request;
  request.set_model_name("m");
  AddInput(name, texts, &request);
  return request;
}

template <typename Request>
Request Read(const ModelInferRequest& request, TaskKind task) {
  const auto question = Ask(request, Serving(task));
  EXPECT_TRUE(question.ok()) << question.status();
  Request asked;
  EXPECT_TRUE(question.ok() && asked.ParseFromString(question->request));
  return asked;
}

// The error of a request to classify, as "FIELD: DESCRIPTION".
std::string ErrorOf(const ModelInferRequest& request,
                    TaskKind task = TaskKind::kClassify) {
  const auto question = Ask(request, Serving(task));
  EXPECT_TRUE(absl::IsInvalidArgument(question.status())) << question.status();
  return InputErrorField(question.status()) + ": " +
         std::string(question.status().message());
}

TEST(InferRequestTest, TextsBecomeInputs) {
  ModelInferRequest request = Asking("text", {"a", "b"});
  AddInput("text_pair", {"c", ""}, &request);
  const auto asked = Read<v1::ClassifyRequest>(request, TaskKind::kClassify);
  EXPECT_EQ(asked.model(), "m");
  ASSERT_EQ(asked.inputs_size(), 2);
  EXPECT_EQ(asked.inputs(0).text(), "a");
  EXPECT_EQ(asked.inputs(0).text_pair(), "c");
  EXPECT_TRUE(asked.inputs(1).has_text_pair());
}

TEST(InferRequestTest, ALoneTensorHasAnyName) {
  const auto asked = Read<v1::TagTokensRequest>(Asking("input-0", {"a", "b"}),
                                                TaskKind::kTagTokens);
  EXPECT_THAT(asked.inputs(), ElementsAre("a", "b"));
}

TEST(InferRequestTest, EveryTaskHasItsTensors) {
  ModelInferRequest question = Asking("context", {"c"});
  AddInput("question", {"q"}, &question);
  const auto asked =
      Read<v1::AnswerQuestionRequest>(question, TaskKind::kAnswerQuestion);
  EXPECT_EQ(asked.inputs(0).question(), "q");
  EXPECT_EQ(asked.inputs(0).context(), "c");

  ModelInferRequest labels = Asking("text", {"a"});
  AddInput("labels", {"x", "y"}, &labels);
  const auto entities =
      Read<v1::ExtractEntitiesRequest>(labels, TaskKind::kExtractEntities);
  ASSERT_EQ(entities.labels_size(), 2);
  EXPECT_EQ(entities.labels(1).name(), "y");
  EXPECT_THAT(
      Read<v1::ClassifyZeroShotRequest>(labels, TaskKind::kZeroShot).labels(),
      ElementsAre("x", "y"));

  ModelInferRequest rerank = Asking("query", {"q"});
  AddInput("documents", {"d", "e"}, &rerank);
  const auto ranked = Read<v1::RerankRequest>(rerank, TaskKind::kRerank);
  EXPECT_EQ(ranked.query(), "q");
  EXPECT_THAT(ranked.documents(), ElementsAre("d", "e"));
}

TEST(InferRequestTest, RawContentsAreTheSame) {
  ModelInferRequest request = Asking("text", {"a", "", "bcd"});
  const std::string plain = Ask(request, Serving(TaskKind::kClassify))->request;
  std::string raw;
  for (const std::string text : {"a", "", "bcd"}) {
    const auto size = static_cast<uint32_t>(text.size());
    raw.append(reinterpret_cast<const char*>(&size), 4).append(text);
  }
  request.mutable_inputs(0)->clear_contents();
  request.add_raw_input_contents(raw);
  const auto question = Ask(request, Serving(TaskKind::kClassify));
  ASSERT_TRUE(question.ok()) << question.status();
  EXPECT_TRUE(question->raw);
  EXPECT_EQ(question->request, plain);

  for (size_t size = 1; size < raw.size(); ++size) {
    request.set_raw_input_contents(0, raw.substr(0, size));
    EXPECT_FALSE(Ask(request, Serving(TaskKind::kClassify)).ok());
  }
  request.set_raw_input_contents(0, raw.substr(0, raw.size() - 1));
  EXPECT_THAT(ErrorOf(request),
              HasSubstr("raw_input_contents[0]: expected the length and the "
                        "bytes of each element, element 2 is cut off"));
}

TEST(InferRequestTest, ParametersSetFields) {
  ModelInferRequest request = Asking("text", {"a"});
  auto& parameters = *request.mutable_parameters();
  parameters["top_k"].set_int64_param(3);
  parameters["return_logits"].set_bool_param(true);
  parameters["length_policy"].set_string_param("LENGTH_POLICY_TRUNCATE");
  const auto asked = Read<v1::ClassifyRequest>(request, TaskKind::kClassify);
  EXPECT_EQ(asked.top_k(), 3);
  EXPECT_TRUE(asked.return_logits());
  EXPECT_EQ(asked.length_policy(), v1::LENGTH_POLICY_TRUNCATE);

  ModelInferRequest answer = Asking("question", {"a"});
  AddInput("context", {"b"}, &answer);
  (*answer.mutable_parameters())["null_threshold"].set_string_param("-0.5");
  EXPECT_EQ(Read<v1::AnswerQuestionRequest>(answer, TaskKind::kAnswerQuestion)
                .null_threshold(),
            -0.5f);
}

TEST(InferRequestTest, TheTaskIsTheFirstOrTheOneNamed) {
  ModelInferRequest request = Asking("text", {"a"});
  const ModelDescription model = Serving(TaskKind::kFillMask);
  EXPECT_EQ(Ask(request, model)->task, TaskKind::kFillMask);
  (*request.mutable_parameters())["task"].set_string_param("encode");
  EXPECT_EQ(Ask(request, model)->task, TaskKind::kEncode);
  (*request.mutable_parameters())["task"].set_string_param("sing");
  EXPECT_THAT(ErrorOf(request), HasSubstr("expected one of classify, "));
}

TEST(InferRequestTest, EachErrorNamesItsPart) {
  ModelInferRequest request = Asking("text", {"a"});
  request.mutable_inputs(0)->set_datatype("FP32");
  EXPECT_THAT(ErrorOf(request),
              HasSubstr("inputs[0].datatype: expected BYTES, got \"FP32\""));
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{2},
        {-1},
        {int64_t{1} << 40, int64_t{1} << 40},
        {0}}) {
    request = Asking("text", {"a"});
    request.mutable_inputs(0)->mutable_shape()->Assign(shape.begin(),
                                                       shape.end());
    EXPECT_THAT(ErrorOf(request), HasSubstr("inputs[0].shape: "));
  }
  request = Asking("text", {"\xff"});
  EXPECT_THAT(ErrorOf(request), HasSubstr("inputs[0]: element 0 is not UTF-8"));
  request = Asking("text", {"a"});
  AddInput("txet", {"b"}, &request);
  EXPECT_THAT(ErrorOf(request),
              HasSubstr("inputs[1].name: expected some of text, text_pair"));
  request = Asking("text", {"a"});
  AddInput("text", {"b"}, &request);
  EXPECT_THAT(ErrorOf(request), HasSubstr("this tensor is there twice"));
  request = Asking("text", {"a"});
  AddInput("text_pair", {"b", "c"}, &request);
  EXPECT_THAT(ErrorOf(request), HasSubstr("expected as many elements"));
  request = Asking("query", {"a", "b"});
  EXPECT_THAT(ErrorOf(request, TaskKind::kRerank),
              HasSubstr("expected one element, got 2"));
  request = Asking("text", {"a"});
  (*request.mutable_parameters())["model"].set_string_param("other");
  EXPECT_THAT(ErrorOf(request), HasSubstr("parameters: expected some of task"));
  request = Asking("text", {"a"});
  (*request.mutable_parameters())["top_k"].set_int64_param(int64_t{1} << 32);
  EXPECT_THAT(ErrorOf(request),
              HasSubstr("parameters[\"top_k\"]: expected an integer"));
  request = Asking("text", {"a"});
  request.add_outputs()->set_name("embedding");
  EXPECT_THAT(ErrorOf(request),
              HasSubstr("outputs[0].name: expected one of label, score, "
                        "scores, result"));
  request = Asking("text", {"a"});
  (*request.mutable_inputs(0)->mutable_parameters())["x"].set_bool_param(true);
  EXPECT_THAT(ErrorOf(request), HasSubstr("inputs[0].parameters: "));
  request = Asking("text", {"a"});
  request.add_raw_input_contents("");
  EXPECT_THAT(ErrorOf(request), HasSubstr("inputs[0].contents: "));
  request = Asking("text", std::vector<std::string>(kMostElements + 1));
  EXPECT_THAT(ErrorOf(request), HasSubstr("expected at most 100000 elements"));
}

TEST(InferRequestTest, OnlyTheServedVersion) {
  ModelInferRequest request = Asking("text", {"a"});
  const ModelDescription model = Serving(TaskKind::kClassify, 3);
  EXPECT_EQ(Ask(request, model)->model_version, "3");
  request.set_model_version("3");
  EXPECT_TRUE(Ask(request, model).ok());
  request.set_model_version("2");
  EXPECT_TRUE(absl::IsNotFound(Ask(request, model).status()));
}

v1::ClassifyResponse TwoTexts() {
  v1::ClassifyResponse response;
  for (const int best : {1, 0}) {
    auto* result = response.add_results();
    for (const int index : {best, 1 - best}) {
      auto* label = result->add_labels();
      label->set_label(index == 0 ? "A" : "B");
      label->set_index(index);
      label->set_score(index == best ? 0.75f : 0.25f);
    }
  }
  return response;
}

TEST(InferResponseTest, LabelsAndScoresAreTensors) {
  const auto response = MakeInferResponse(
      {.task = TaskKind::kClassify, .model_name = "m", .id = "7"},
      TwoTexts().SerializeAsString());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->id(), "7");
  ASSERT_EQ(response->outputs_size(), 3);
  EXPECT_EQ(response->outputs(0).name(), "label");
  EXPECT_THAT(response->outputs(0).contents().bytes_contents(),
              ElementsAre("B", "A"));
  EXPECT_THAT(response->outputs(1).contents().fp32_contents(),
              ElementsAre(0.75f, 0.75f));
  EXPECT_THAT(response->outputs(2).shape(), ElementsAre(2, 2));
  EXPECT_THAT(response->outputs(2).contents().fp32_contents(),
              ElementsAre(0.25f, 0.75f, 0.75f, 0.25f));
}

TEST(InferResponseTest, RawContentsHoldTheSame) {
  const auto response =
      MakeInferResponse({.task = TaskKind::kClassify, .raw = true},
                        TwoTexts().SerializeAsString());
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->raw_output_contents_size(), 3);
  EXPECT_EQ(response->raw_output_contents(0),
            std::string("\1\0\0\0B\1\0\0\0A", 10));
  float scores[4];
  ASSERT_EQ(response->raw_output_contents(2).size(), sizeof(scores));
  std::memcpy(scores, response->raw_output_contents(2).data(), sizeof(scores));
  EXPECT_THAT(scores, ElementsAre(0.25f, 0.75f, 0.75f, 0.25f));
  EXPECT_FALSE(response->outputs(2).has_contents());
}

TEST(InferResponseTest, TheBestLabelsAloneAreNoRow) {
  v1::ClassifyResponse best = TwoTexts();
  for (auto& result : *best.mutable_results())
    result.mutable_labels()->RemoveLast();
  InferQuestion question = {.task = TaskKind::kClassify, .all_labels = false};
  EXPECT_EQ(
      MakeInferResponse(question, best.SerializeAsString())->outputs_size(), 2);
  question.outputs = {"scores"};
  const auto response = MakeInferResponse(question, best.SerializeAsString());
  EXPECT_EQ(InputErrorField(response.status()), "outputs[0].name");
}

TEST(InferResponseTest, SpansAreJson) {
  v1::TagTokensResponse tags;
  auto* entity = tags.add_results()->add_entities();
  entity->set_label("PER");
  entity->set_start(0);
  entity->set_end(3);
  const auto response = MakeInferResponse({.task = TaskKind::kTagTokens},
                                          tags.SerializeAsString());
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->outputs_size(), 1);
  EXPECT_EQ(response->outputs(0).name(), "result");
  EXPECT_EQ(response->outputs(0).contents().bytes_contents(0),
            R"({"entities":[{"label":"PER","score":0,"text":"","start":0,)"
            R"("end":3,"token_index":0}]})");
}

TEST(InferResponseTest, VectorsAndRanksAreTensors) {
  v1::EncodeResponse vectors;
  for (const float first : {1.0f, 3.0f}) {
    auto* values = vectors.add_results()->add_vectors();
    values->add_values(first);
    values->add_values(first + 1);
  }
  const auto encoded = MakeInferResponse({.task = TaskKind::kEncode},
                                         vectors.SerializeAsString());
  EXPECT_THAT(encoded->outputs(0).shape(), ElementsAre(2, 2));
  EXPECT_THAT(encoded->outputs(0).contents().fp32_contents(),
              ElementsAre(1, 2, 3, 4));
  // One vector a token.
  vectors.mutable_results(0)->add_vectors()->add_values(5);
  EXPECT_EQ(MakeInferResponse({.task = TaskKind::kEncode},
                              vectors.SerializeAsString())
                ->outputs(0)
                .name(),
            "result");

  v1::RerankResponse ranks;
  ranks.add_results()->set_index(4);
  const auto ranked =
      MakeInferResponse({.task = TaskKind::kRerank}, ranks.SerializeAsString());
  EXPECT_THAT(ranked->outputs(0).contents().int_contents(), ElementsAre(4));
}

}  // namespace
}  // namespace deberta::server
