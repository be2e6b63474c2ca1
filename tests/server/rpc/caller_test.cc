#include "server/rpc/caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kText[] = "the quick brown fox";

std::string Entry(const std::string& name, const std::string& more) {
  const TokenHash hash = HashToken(name + "-token");
  return absl::StrCat(
      R"({"name": ")", name, R"(", "sha256": ")",
      absl::BytesToHexString(
          {reinterpret_cast<const char*>(hash.data()), hash.size()}),
      "\"", more, "}");
}

class CallerTest : public testing::Test {
 protected:
  CallerTest() {
    const std::string path = absl::StrCat("/tmp/deberta_caller_", getpid());
    std::ofstream(path)
        << R"({"tokens": [)" << Entry("all", "") << ","
        << Entry("tagging", R"(, "models": ["tagger", "reader", "absent"])")
        << "," << Entry("slow", R"(, "requests_per_second": 0.1)") << "]}";
    tokens_ = *Authenticator::Open(path, absl::InfiniteDuration(), nullptr);
    unlink(path.c_str());
    server_.emplace(TestServer::Settings{.authenticator = tokens_.get()});
  }

  grpc::Status Classify(const std::string& authorization,
                        const std::string& model = "labels") {
    grpc::ClientContext context;
    if (!authorization.empty())
      context.AddMetadata("authorization", authorization);
    v1::ClassifyRequest request = ClassifyText(kText);
    request.set_model(model);
    v1::ClassifyResponse response;
    return server_->stub().Classify(&context, request, &response);
  }

  std::unique_ptr<Authenticator> tokens_;
  std::optional<TestServer> server_;
};

TEST_F(CallerTest, NobodyWithoutAToken) {
  for (const char* authorization :
       {"", "Bearer wrong", "all-token", "Basic all-token"}) {
    const grpc::Status status = Classify(authorization);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(DetailsOf(status).info.reason(), "UNAUTHENTICATED");
    EXPECT_THAT(status.error_message(), Not(HasSubstr("wrong")));
  }
  EXPECT_TRUE(Classify("Bearer all-token").ok());
  server_->WaitForReports(5);
  EXPECT_EQ(server_->reports()[0].rejection, Rejection::kUnauthenticated);
}

TEST_F(CallerTest, TwoTokensAreNone) {
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer all-token");
  context.AddMetadata("authorization", "Bearer tagging-token");
  v1::ListModelsResponse response;
  EXPECT_EQ(server_->stub().ListModels(&context, {}, &response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(CallerTest, EveryMethodAsksForIt) {
  const auto refused = [&](auto method, auto request, auto response) {
    grpc::ClientContext context;
    EXPECT_EQ(
        (server_->stub().*method)(&context, request, &response).error_code(),
        grpc::StatusCode::UNAUTHENTICATED);
  };
  using Stub = v1::DebertaService::Stub;
  refused(&Stub::Classify, v1::ClassifyRequest(), v1::ClassifyResponse());
  refused(&Stub::TagTokens, v1::TagTokensRequest(), v1::TagTokensResponse());
  refused(&Stub::AnswerQuestion, v1::AnswerQuestionRequest(),
          v1::AnswerQuestionResponse());
  refused(&Stub::FillMask, v1::FillMaskRequest(), v1::FillMaskResponse());
  refused(&Stub::ClassifyZeroShot, v1::ClassifyZeroShotRequest(),
          v1::ClassifyZeroShotResponse());
  refused(&Stub::Encode, v1::EncodeRequest(), v1::EncodeResponse());
  refused(&Stub::Tokenize, v1::TokenizeRequest(), v1::TokenizeResponse());
  refused(&Stub::ListModels, v1::ListModelsRequest(), v1::ListModelsResponse());
  refused(&Stub::GetModel, v1::GetModelRequest(), v1::GetModelResponse());
}

TEST_F(CallerTest, ModelsOfOthersAreNotToBeLearntOf) {
  const std::string token = "Bearer tagging-token";
  for (const char* model : {"labels", "no-such-model"}) {
    const grpc::Status status = Classify(token, model);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(DetailsOf(status).info.reason(), "MODEL_NOT_ALLOWED");
    EXPECT_EQ(status.error_message(), "this token may not use that model");
  }
  EXPECT_EQ(Classify(token, "").error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  const grpc::Status absent = Classify(token, "absent");
  EXPECT_EQ(absent.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(absent.error_message(), Not(HasSubstr("labels")));

  grpc::ClientContext context;
  context.AddMetadata("authorization", token);
  v1::ListModelsResponse models;
  ASSERT_TRUE(server_->stub().ListModels(&context, {}, &models).ok());
  ASSERT_EQ(models.models_size(), 2);
  EXPECT_EQ(models.models(0).name(), "tagger");
  EXPECT_EQ(models.models(1).name(), "reader");

  grpc::ClientContext any;
  any.AddMetadata("authorization", token);
  v1::GetModelResponse model;
  const grpc::Status ambiguous = server_->stub().GetModel(&any, {}, &model);
  EXPECT_THAT(ambiguous.error_message(), HasSubstr("tagger, reader"));
  EXPECT_THAT(ambiguous.error_message(), Not(HasSubstr("labels")));
  server_->WaitForReports(1);
  EXPECT_EQ(server_->reports()[0].rejection, Rejection::kNotAllowed);
}

TEST_F(CallerTest, OverItsRateIsToldWhenToComeBack) {
  EXPECT_TRUE(Classify("Bearer slow-token").ok());
  const grpc::Status status = Classify("Bearer slow-token");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const ErrorDetails details = DetailsOf(status);
  EXPECT_EQ(details.info.reason(), "RATE_LIMITED");
  ASSERT_TRUE(details.has_retry);
  EXPECT_GT(details.retry.retry_delay().seconds(), 5);
  EXPECT_LE(details.retry.retry_delay().seconds(), 10);
  EXPECT_TRUE(Classify("Bearer all-token").ok());
}

}  // namespace
}  // namespace deberta::server
