// Answers, and every error that is the service's own.

#include "server/rpc/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Makes one call; the response is dropped.
template <typename Request, typename Response>
grpc::Status Call(TestServer& server,
                  grpc::Status (v1::DebertaService::Stub::*method)(
                      grpc::ClientContext*, const Request&, Response*),
                  const Request& request, Response* response = nullptr) {
  Response unused;
  grpc::ClientContext context;
  return (server.stub().*method)(&context, request,
                                 response == nullptr ? &unused : response);
}

grpc::Status Classify(TestServer& server, const v1::ClassifyRequest& request,
                      v1::ClassifyResponse* response = nullptr) {
  return Call(server, &v1::DebertaService::Stub::Classify, request, response);
}

TEST(ServiceTest, ClassifyAnswersEveryInputInOrder) {
  TestServer server;
  v1::ClassifyRequest request = ClassifyText("one");
  request.add_inputs()->set_text("one two three");
  request.set_function(v1::FUNCTION_NONE);
  request.set_return_logits(true);
  v1::ClassifyResponse response;
  const grpc::Status status = Classify(server, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.results_size(), 2);
  for (const v1::ClassifyResult& result : response.results()) {
    const auto tokens = static_cast<float>(result.coverage().tokens_total());
    EXPECT_GT(tokens, 2);
    ASSERT_EQ(result.labels_size(), 2);
    EXPECT_EQ(result.labels(0).label(), "LONG");
    EXPECT_EQ(result.labels(0).score(), tokens);
    EXPECT_THAT(result.logits(), ElementsAre(tokens, 0.0f));
    EXPECT_FALSE(result.coverage().truncated());
  }
  EXPECT_LT(response.results(0).coverage().tokens_total(),
            response.results(1).coverage().tokens_total());
  EXPECT_EQ(response.model().name(), "labels");
  EXPECT_THAT(response.model().tasks(),
              ElementsAre(v1::TASK_CLASSIFY, v1::TASK_ENCODE));
  EXPECT_EQ(response.timing().batch_inputs(), 2);
  EXPECT_EQ(response.timing().batch_tokens(),
            response.results(0).coverage().tokens_total() +
                response.results(1).coverage().tokens_total());
  EXPECT_GE(response.timing().total_us(),
            response.timing().queue_us() + response.timing().compute_us());
}

TEST(ServiceTest, EveryTaskAnswers) {
  TestServer server;
  using Stub = v1::DebertaService::Stub;

  v1::TagTokensRequest tag;
  tag.add_inputs("one two");
  v1::TagTokensResponse tagged;
  ASSERT_TRUE(Call(server, &Stub::TagTokens, tag, &tagged).ok());
  ASSERT_EQ(tagged.results_size(), 1);
  ASSERT_GE(tagged.results(0).entities_size(), 1);
  EXPECT_EQ(tagged.results(0).entities(0).label(), "X");
  EXPECT_EQ(tagged.model().name(), "tagger");

  v1::AnswerQuestionRequest question;
  question.add_inputs()->set_question("who");
  question.mutable_inputs(0)->set_context("one two three");
  v1::AnswerQuestionResponse answered;
  ASSERT_TRUE(Call(server, &Stub::AnswerQuestion, question, &answered).ok());
  ASSERT_EQ(answered.results(0).answers_size(), 1);
  EXPECT_EQ(answered.model().name(), "reader");

  v1::FillMaskRequest fill;
  fill.add_inputs("one [MASK] three");
  v1::FillMaskResponse filled;
  ASSERT_TRUE(Call(server, &Stub::FillMask, fill, &filled).ok());
  ASSERT_EQ(filled.results(0).masks_size(), 1);
  EXPECT_EQ(filled.results(0).masks(0).candidates_size(), 5);
  EXPECT_EQ(filled.results(0).masks(0).candidates(0).token_id(), 0);

  v1::EncodeRequest encode;
  encode.set_model("filler");
  encode.add_inputs()->set_text("one");
  encode.set_pooling(v1::POOLING_NONE);
  v1::EncodeResponse encoded;
  ASSERT_TRUE(Call(server, &Stub::Encode, encode, &encoded).ok());
  EXPECT_EQ(encoded.results(0).vectors_size(),
            encoded.results(0).coverage().tokens_total());
  EXPECT_EQ(encoded.results(0).vectors(0).values_size(),
            TestServer::kHiddenSize);
  EXPECT_EQ(encoded.results(0).tokens(0), "[CLS]");
}

TEST(ServiceTest, TokenizeTakesEmptyTexts) {
  TestServer server;
  v1::TokenizeRequest request;
  request.set_model("labels");
  request.add_inputs()->set_text("");
  v1::TokenizeResponse response;
  ASSERT_TRUE(
      Call(server, &v1::DebertaService::Stub::Tokenize, request, &response)
          .ok());
  EXPECT_THAT(response.results(0).tokens(), ElementsAre("[CLS]", "[SEP]"));
  EXPECT_EQ(response.model().name(), "labels");

  request.set_add_special_tokens(false);
  ASSERT_TRUE(
      Call(server, &v1::DebertaService::Stub::Tokenize, request, &response)
          .ok());
  EXPECT_EQ(response.results(0).tokens_size(), 0);
}

TEST(ServiceTest, ListsAndDescribesModels) {
  TestServer server;
  v1::ListModelsResponse list;
  ASSERT_TRUE(Call(server, &v1::DebertaService::Stub::ListModels,
                   v1::ListModelsRequest(), &list)
                  .ok());
  ASSERT_EQ(list.models_size(), 4);
  EXPECT_EQ(list.models(3).name(), "filler");

  v1::GetModelRequest request;
  request.set_model("tagger");
  v1::GetModelResponse model;
  ASSERT_TRUE(
      Call(server, &v1::DebertaService::Stub::GetModel, request, &model).ok());
  EXPECT_EQ(model.model().name(), "tagger");
  EXPECT_THAT(model.labels(), ElementsAre("B-X", "O"));
  EXPECT_EQ(model.max_tokens(), 32);
}

TEST(ServiceTest, UnknownModelIsNotFound) {
  TestServer server;
  v1::ClassifyRequest request = ClassifyText("one");
  request.set_model("SECRET");
  const grpc::Status status = Classify(server, request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("tagger"));
  EXPECT_THAT(status.error_details(), Not(HasSubstr("SECRET")));
  const ErrorDetails details = DetailsOf(status);
  EXPECT_EQ(details.info.reason(), "MODEL_NOT_FOUND");
  EXPECT_EQ(details.info.domain(), "deberta.v1");
  ASSERT_EQ(server.reports().size(), 1u);
  EXPECT_FALSE(server.reports()[0].model.has_value());
  EXPECT_EQ(server.reports()[0].code, absl::StatusCode::kNotFound);
}

TEST(ServiceTest, ModelWithoutTheHeadIsFailedPrecondition) {
  TestServer server;
  v1::ClassifyRequest request = ClassifyText("one");
  request.set_model("tagger");
  const grpc::Status status = Classify(server, request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("tag_tokens"));
  EXPECT_EQ(DetailsOf(status).info.reason(), "TASK_NOT_SUPPORTED");
}

TEST(ServiceTest, NoNameWithSeveralModelsListsThem) {
  TestServer server({.second_classifier = true});
  const grpc::Status status = Classify(server, ClassifyText("one"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("labels, labels-2"));
  EXPECT_EQ(DetailsOf(status).field(), "model");
}

v1::ClassifyZeroShotRequest ZeroShot(const std::string& text) {
  v1::ClassifyZeroShotRequest request;
  request.add_inputs(text);
  request.add_labels("short");
  request.add_labels("a much longer label");
  return request;
}

TEST(ServiceTest, ZeroShotNeedsAnEntailmentLabel) {
  TestServer server;
  v1::ClassifyZeroShotRequest request = ZeroShot("one");
  request.set_model("labels");
  const grpc::Status status =
      Call(server, &v1::DebertaService::Stub::ClassifyZeroShot, request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("no label begins with"));
}

// The stand-in entails the longer hypothesis more.
TEST(ServiceTest, ZeroShotAsksAllHypothesesInOneBatch) {
  TestServer server({.judge = true});
  v1::ClassifyZeroShotResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      server.stub().ClassifyZeroShot(&context, ZeroShot("one"), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.model().name(), "judge");
  ASSERT_EQ(response.results_size(), 1);
  ASSERT_EQ(response.results(0).labels_size(), 2);
  EXPECT_EQ(response.results(0).labels(0).label(), "a much longer label");
  EXPECT_EQ(response.results(0).labels(0).index(), 1);
  EXPECT_GT(response.results(0).labels(0).score(), 0.5f);
  EXPECT_EQ(response.timing().batch_inputs(), 2);
  EXPECT_EQ(server.batches(), 1);
}

TEST(ServiceTest, ChoosesAmongAnswers) {
  TestServer server({.judge = true});
  v1::ClassifyRequest request = ClassifyText("one");
  request.set_model("chooser");
  request.mutable_inputs(0)->add_choices("a");
  request.mutable_inputs(0)->add_choices("many more words");
  request.set_return_logits(true);
  v1::ClassifyResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      server.stub().Classify(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.results(0).labels_size(), 2);
  EXPECT_EQ(response.results(0).labels(0).label(), "many more words");
  EXPECT_EQ(response.results(0).labels(0).index(), 1);
  ASSERT_EQ(response.results(0).logits_size(), 2);
  EXPECT_EQ(response.results(0).logits(1),
            static_cast<float>(response.results(0).coverage().tokens_total()));
}

struct BadInput {
  const char* name;
  v1::ClassifyRequest request;
  const char* field;
};

std::vector<BadInput> BadInputs() {
  std::vector<BadInput> cases(6);
  cases[0] = {"empty list", {}, "inputs"};
  cases[1] = {"empty text", ClassifyText("one"), "inputs[1].text"};
  cases[1].request.add_inputs();
  std::string words;
  for (size_t i = 0; i < TestServer::kMaxTokens; ++i) words += " SECRET";
  cases[2] = {"too long", ClassifyText(words), "inputs[0]"};
  cases[3] = {"negative top_k", ClassifyText("SECRET"), "top_k"};
  cases[3].request.set_top_k(-1);
  cases[4] = {"unknown enum", ClassifyText("SECRET"), "function"};
  cases[4].request.set_function(static_cast<v1::Function>(77));
  cases[5] = {"negative stride", ClassifyText("SECRET"), "stride"};
  cases[5].request.set_stride(-1);
  cases[5].request.set_length_policy(v1::LENGTH_POLICY_WINDOW);
  return cases;
}

TEST(ServiceTest, BadInputsNameTheirFieldAndNeverRepeatTheText) {
  TestServer server;
  for (const BadInput& bad : BadInputs()) {
    SCOPED_TRACE(bad.name);
    const grpc::Status status = Classify(server, bad.request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(DetailsOf(status).field(), testing::StartsWith(bad.field));
    EXPECT_EQ(DetailsOf(status).info.reason(), "INVALID_INPUT");
    EXPECT_THAT(status.error_message(), Not(HasSubstr("SECRET")));
    EXPECT_THAT(status.error_details(), Not(HasSubstr("SECRET")));
  }
  EXPECT_EQ(server.batches(), 0);
  EXPECT_TRUE(Classify(server, ClassifyText("one")).ok());
}

TEST(ServiceTest, TextThatIsNotUtf8IsRefusedAndTheServerGoesOn) {
  TestServer server;
  EXPECT_FALSE(Classify(server, ClassifyText("one \xff two")).ok());
  EXPECT_EQ(server.batches(), 0);
  EXPECT_TRUE(Classify(server, ClassifyText("one")).ok());
}

TEST(ServiceTest, SequenceLargerThanTheQueueIsInvalid) {
  TestServer server({.max_batch_tokens = 8, .max_queue_tokens = 8});
  v1::ClassifyRequest request = ClassifyText("a");
  request.add_inputs()->set_text("one two three four five");
  const grpc::Status status = Classify(server, request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailsOf(status).info.reason(), "REQUEST_TOO_LARGE");
  EXPECT_EQ(DetailsOf(status).field(), "inputs");
  EXPECT_EQ(server.reports().at(0).rejection, Rejection::kTooLarge);
  EXPECT_EQ(server.batches(), 0);
}

TEST(ServiceTest, UnavailableUntilModelsAreLoaded) {
  TestServer server({.serve = false});
  grpc::Status status = Classify(server, ClassifyText("one"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).info.reason(), "STARTING");
  status = Call(server, &v1::DebertaService::Stub::ListModels,
                v1::ListModelsRequest());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  server.Serve();
  EXPECT_TRUE(Classify(server, ClassifyText("one")).ok());
}

TEST(ServiceTest, ReportsCountAcceptedWork) {
  TestServer server;
  v1::ClassifyRequest request = ClassifyText("one");
  std::string words = "one";
  for (size_t i = 0; i < TestServer::kMaxTokens; ++i) words += " two";
  request.add_inputs()->set_text(words);
  request.set_length_policy(v1::LENGTH_POLICY_TRUNCATE);
  v1::ClassifyResponse response;
  ASSERT_TRUE(Classify(server, request, &response).ok());
  EXPECT_TRUE(response.results(1).coverage().truncated());
  server.WaitForReports(1);
  const RequestReport report = server.reports()[0];
  EXPECT_EQ(report.code, absl::StatusCode::kOk);
  EXPECT_EQ(report.model, 0u);
  EXPECT_TRUE(report.accepted);
  EXPECT_EQ(report.inputs, 2u);
  EXPECT_EQ(report.truncated_inputs, 1u);
  EXPECT_EQ(report.tokens,
            static_cast<size_t>(response.results(0).coverage().tokens_used() +
                                response.results(1).coverage().tokens_used()));
  EXPECT_TRUE(report.tokenize.has_value());
  EXPECT_TRUE(report.queue.has_value());
  EXPECT_TRUE(report.compute.has_value());
  EXPECT_EQ(report.model_name, "labels");
  EXPECT_EQ(report.reason, "");
  EXPECT_FALSE(report.caller.empty());
  EXPECT_FALSE(report.trace.has_value());
}

TEST(ServiceTest, ReportsNameTheTraceAndTheReason) {
  constexpr char kTraceParent[] =
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  TestServer server;
  v1::ClassifyRequest request = ClassifyText("one");
  request.set_model("absent");
  // Of two it would not be clear whose child the call is.
  for (const int times : {1, 2}) {
    grpc::ClientContext context;
    for (int i = 0; i < times; ++i)
      context.AddMetadata("traceparent", kTraceParent);
    v1::ClassifyResponse response;
    EXPECT_FALSE(server.stub().Classify(&context, request, &response).ok());
  }
  server.WaitForReports(2);
  EXPECT_EQ(server.reports()[0].trace, ParseTraceParent(kTraceParent));
  EXPECT_EQ(server.reports()[0].reason, "MODEL_NOT_FOUND");
  EXPECT_FALSE(server.reports()[1].trace.has_value());
}

TEST(ServiceTest, ConcurrentCallersGetTheirOwnAnswers) {
  constexpr int kCallers = 16;
  constexpr int kCalls = 20;
  TestServer server({.max_queue_tokens = 1 << 20});
  std::atomic<int> wrong = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&server, &wrong, caller] {
      for (int i = 0; i < kCalls; ++i) {
        std::string text = "one";
        for (int word = 0; word < (caller + i) % 8; ++word) text += " two";
        v1::ClassifyRequest request = ClassifyText(text);
        request.set_function(v1::FUNCTION_NONE);
        v1::ClassifyResponse response;
        const bool right =
            Classify(server, request, &response).ok() &&
            response.results_size() == 1 &&
            response.results(0).labels(0).score() ==
                static_cast<float>(
                    response.results(0).coverage().tokens_total());
        if (!right) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(server.reports().size(), size_t{kCallers} * kCalls);
  EXPECT_EQ(server.service().inflight(), 0u);
}

}  // namespace
}  // namespace deberta::server
