// Calls that ask for fp32 by their metadata.

#include "server/rpc/requested_precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr size_t kTaggerQueue = 1;
constexpr size_t kFp32Queue = 4;  // after those of the four models

grpc::Status Tag(TestServer& server, const std::vector<std::string>& asked,
                 v1::TagTokensResponse* response) {
  v1::TagTokensRequest request;
  request.add_inputs("one two");
  grpc::ClientContext context;
  for (const std::string& precision : asked)
    context.AddMetadata(kPrecisionMetadata, precision);
  return server.stub().TagTokens(&context, request, response);
}

TEST(RequestedPrecisionTest, Fp32HasAQueueOfItsOwn) {
  TestServer server({.tagger_precision = "int8", .keep_fp32 = true});
  v1::TagTokensResponse response;
  ASSERT_TRUE(Tag(server, {}, &response).ok());
  EXPECT_EQ(response.model().precision(), "int8");
  EXPECT_EQ(server.last_queue(), kTaggerQueue);

  const grpc::Status status = Tag(server, {"fp32"}, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.model().name(), "tagger");
  EXPECT_EQ(response.model().precision(), "fp32");
  EXPECT_EQ(server.last_queue(), kFp32Queue);
  EXPECT_EQ(server.reports().at(1).model, kTaggerQueue);
}

TEST(RequestedPrecisionTest, AModelInFp32AnswersAsEver) {
  TestServer server;
  v1::TagTokensResponse response;
  ASSERT_TRUE(Tag(server, {"fp32", "fp32"}, &response).ok());
  EXPECT_EQ(response.model().precision(), "fp32");
  EXPECT_EQ(server.last_queue(), kTaggerQueue);
}

TEST(RequestedPrecisionTest, Fp32ThatWasNotKeptIsFailedPrecondition) {
  TestServer server({.tagger_precision = "int8"});
  v1::TagTokensResponse response;
  const grpc::Status status = Tag(server, {"fp32"}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("--keep_fp32"));
  EXPECT_EQ(DetailsOf(status).info.reason(), "FP32_NOT_KEPT");
  EXPECT_EQ(server.batches(), 0);
  EXPECT_EQ(server.reports().at(0).model, kTaggerQueue);
}

TEST(RequestedPrecisionTest, OtherValuesAreInvalidAndNotRepeated) {
  TestServer server({.tagger_precision = "int8", .keep_fp32 = true});
  for (const std::vector<std::string>& asked :
       {std::vector<std::string>{"SECRET"}, {"FP32"}, {""}, {"fp32", "int8"}}) {
    v1::TagTokensResponse response;
    const grpc::Status status = Tag(server, asked, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr(kPrecisionMetadata));
    EXPECT_THAT(status.error_message(), Not(HasSubstr("SECRET")));
    EXPECT_EQ(DetailsOf(status).info.reason(), "PRECISION_UNKNOWN");
  }
  EXPECT_EQ(server.batches(), 0);
}

}  // namespace
}  // namespace deberta::server
