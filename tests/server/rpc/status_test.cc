#include "server/rpc/status.h"

#include <gtest/gtest.h>

#include <string>

#include "server/base/error_reason.h"
#include "server/base/retry_delay.h"
#include "server/tasks/shared/task.h"
#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

TEST(StatusTest, OkHasNoDetails) {
  const grpc::Status status = ToGrpcStatus(absl::OkStatus());
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.error_details(), "");
}

TEST(StatusTest, InputErrorNamesItsField) {
  const grpc::Status status =
      ToGrpcStatus(InputError("inputs[3].text", "must not be empty"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const ErrorDetails details = DetailsOf(status);
  EXPECT_EQ(details.info.reason(), "INVALID_INPUT");
  EXPECT_EQ(details.info.domain(), "deberta.v1");
  EXPECT_EQ(details.field(), "inputs[3].text");
  EXPECT_FALSE(details.has_retry);
}

TEST(StatusTest, ReasonReplacesTheDefault) {
  const grpc::Status status =
      ToGrpcStatus(WithReason(absl::UnavailableError("loading"), "STARTING"));
  EXPECT_EQ(DetailsOf(status).info.reason(), "STARTING");
  EXPECT_EQ(DetailsOf(ToGrpcStatus(absl::UnavailableError("x"))).info.reason(),
            "SHUTTING_DOWN");
}

TEST(StatusTest, ResourceExhaustedSaysWhenToRetry) {
  const grpc::Status status = ToGrpcStatus(WithRetryDelay(
      absl::ResourceExhaustedError("full"), absl::Milliseconds(2500)));
  const ErrorDetails details = DetailsOf(status);
  ASSERT_TRUE(details.has_retry);
  EXPECT_EQ(details.retry.retry_delay().seconds(), 2);
  EXPECT_EQ(details.retry.retry_delay().nanos(), 500'000'000);
}

TEST(StatusTest, CodesOutsideTheListAreInternal) {
  for (const absl::Status& status :
       {absl::UnknownError("x"), absl::DataLossError("x"),
        absl::OutOfRangeError("x"), absl::InternalError("x")}) {
    EXPECT_EQ(ToGrpcStatus(status).error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_EQ(DetailsOf(ToGrpcStatus(status)).info.reason(), "INTERNAL");
  }
}

TEST(StatusTest, LongMessagesAreCutBetweenCharacters) {
  std::string message(kMaxMessageBytes - 1, 'a');
  message += "\u00e9 and more";  // two bytes across the limit
  const grpc::Status status = ToGrpcStatus(absl::InternalError(message));
  EXPECT_EQ(status.error_message(), std::string(kMaxMessageBytes - 1, 'a'));
  DetailsOf(status);
}

}  // namespace
}  // namespace deberta::server
