#include "server/rpc/requested_priority.h"

#include "gtest/gtest.h"
#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

grpc::Status Ask(TestServer& server, const char* priority) {
  grpc::ClientContext context;
  context.AddMetadata(kPriorityMetadata, priority);
  v1::TagTokensRequest request;
  request.add_inputs("one two");
  v1::TagTokensResponse response;
  return server.stub().TagTokens(&context, request, &response);
}

TEST(RequestedPriorityTest, TakesThree) {
  TestServer server;
  for (const char* priority : {"high", "normal", "low"})
    EXPECT_TRUE(Ask(server, priority).ok()) << priority;
}

TEST(RequestedPriorityTest, RefusesOthers) {
  TestServer server;
  for (const char* priority : {"", "HIGH", "urgent", "1"}) {
    const grpc::Status status = Ask(server, priority);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(DetailsOf(status).info.reason(), "PRIORITY_UNKNOWN");
  }
}

}  // namespace
}  // namespace deberta::server
