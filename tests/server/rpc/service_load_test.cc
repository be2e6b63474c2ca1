// Full queues, callers that leave, deadlines and draining. Batches are held by
// the test, so that nothing depends on time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <thread>

#include "server/rpc/service.h"
#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

// A call that runs on its own.
struct AsyncCall {
  grpc::ClientContext context;
  v1::ClassifyRequest request;
  v1::ClassifyResponse response;
  std::promise<grpc::Status> promise;
  std::future<grpc::Status> status = promise.get_future();

  AsyncCall(TestServer& server, const std::string& text,
            absl::Time deadline = absl::InfiniteFuture(),
            v1::LengthPolicy policy = v1::LENGTH_POLICY_REJECT)
      : request(ClassifyText(text)) {
    request.set_length_policy(policy);
    if (deadline != absl::InfiniteFuture())
      context.set_deadline(absl::ToChronoTime(deadline));
    server.stub().async()->Classify(
        &context, &request, &response,
        [this](grpc::Status s) { promise.set_value(std::move(s)); });
  }
};

// Blocks until `count` calls are inside, tokenised or about to be.
void WaitForInflight(TestServer& server, size_t count) {
  while (server.service().inflight() < count) std::this_thread::yield();
}

// Blocks until that many tokens wait for the classifier.
void WaitForQueue(TestServer& server, size_t tokens) {
  while (server.scheduler().queued_tokens(0) < tokens)
    std::this_thread::yield();
}

// A round trip of a call that computes nothing.
grpc::Status ListModels(TestServer& server) {
  grpc::ClientContext context;
  v1::ListModelsResponse response;
  return server.stub().ListModels(&context, {}, &response);
}

TEST(ServiceLoadTest, FullQueueIsResourceExhaustedWithARetryDelay) {
  TestServer server({.max_batch_tokens = 3, .max_queue_tokens = 5});
  server.Hold();
  AsyncCall running(server, "a");
  server.WaitUntilHeld();
  AsyncCall waiting(server, "a");
  WaitForQueue(server, 3);

  AsyncCall refused(server, "a");
  const grpc::Status status = refused.status.get();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const ErrorDetails details = DetailsOf(status);
  EXPECT_EQ(details.info.reason(), "QUEUE_FULL");
  ASSERT_TRUE(details.has_retry);
  EXPECT_GT(details.retry.retry_delay().seconds() * 1'000'000'000 +
                details.retry.retry_delay().nanos(),
            0);
  EXPECT_EQ(server.reports().at(0).rejection, Rejection::kQueueFull);
  EXPECT_FALSE(server.reports().at(0).accepted);

  server.Release();
  EXPECT_TRUE(running.status.get().ok());
  EXPECT_TRUE(waiting.status.get().ok());
}

TEST(ServiceLoadTest, ExpiredCallIsNotComputed) {
  TestServer server({.max_batch_tokens = 3});
  server.Hold();
  AsyncCall running(server, "a");
  server.WaitUntilHeld();
  AsyncCall expiring(server, "a", absl::Now() + absl::Milliseconds(20));
  EXPECT_EQ(expiring.status.get().error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  server.Release();
  EXPECT_TRUE(running.status.get().ok());
  EXPECT_TRUE(ListModels(server).ok());
  server.scheduler().Drain(absl::InfiniteFuture());
  EXPECT_EQ(server.batches(), 1);
}

TEST(ServiceLoadTest, CallWithoutDeadlineGetsTheServersLimit) {
  TestServer server({.max_call_time = absl::ZeroDuration()});
  AsyncCall call(server, "a");
  const grpc::Status status = call.status.get();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(DetailsOf(status).info.reason(), "DEADLINE_EXCEEDED");
  EXPECT_EQ(server.batches(), 0);
  EXPECT_EQ(server.reports().at(0).code, absl::StatusCode::kDeadlineExceeded);
}

// The news of a cancellation may lose the race against the release of the
// batch before it, but not every time.
TEST(ServiceLoadTest, CancelledCallIsNotComputed) {
  constexpr int kAttempts = 100;
  TestServer server({.max_batch_tokens = 3});
  bool dropped = false;
  for (int i = 0; i < kAttempts && !dropped; ++i) {
    const size_t reports = server.reports().size();
    const int batches = server.batches();
    server.Hold();
    AsyncCall running(server, "a");
    server.WaitUntilHeld();
    AsyncCall leaving(server, "a");
    WaitForQueue(server, 3);
    leaving.context.TryCancel();
    EXPECT_EQ(leaving.status.get().error_code(), grpc::StatusCode::CANCELLED);
    EXPECT_TRUE(ListModels(server).ok());
    server.Release();
    EXPECT_TRUE(running.status.get().ok());
    server.WaitForReports(reports + 3);  // ListModels too
    dropped = server.batches() == batches + 1;
    if (dropped) {
      EXPECT_GE(
          std::ranges::count(server.reports(), absl::StatusCode::kCancelled,
                             &RequestReport::code),
          1);
    }
  }
  EXPECT_TRUE(dropped);
}

TEST(ServiceLoadTest, DrainFinishesAcceptedCallsAndRefusesNewOnes) {
  TestServer server;
  server.Hold();
  AsyncCall accepted(server, "a");
  server.WaitUntilHeld();
  std::future<bool> drained = std::async(std::launch::async, [&] {
    return server.service().Drain(absl::InfiniteFuture());
  });
  while (ListModels(server).ok()) std::this_thread::yield();

  AsyncCall late(server, "a");
  const grpc::Status status = late.status.get();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(DetailsOf(status).info.reason(), "SHUTTING_DOWN");
  EXPECT_EQ(server.reports().back().rejection, Rejection::kDraining);
  EXPECT_EQ(server.reports().back().model, 0u);

  server.Release();
  EXPECT_TRUE(drained.get());
  EXPECT_TRUE(accepted.status.get().ok());
}

TEST(ServiceLoadTest, DrainFinishesALongCallToItsLastRound) {
  TestServer server({.max_batch_tokens = 64, .max_queue_tokens = 64});
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "one ";
  server.Hold();
  AsyncCall accepted(server, text, absl::InfiniteFuture(),
                     v1::LENGTH_POLICY_WINDOW);
  server.WaitUntilHeld();
  std::future<bool> drained = std::async(std::launch::async, [&] {
    return server.service().Drain(absl::InfiniteFuture());
  });
  while (ListModels(server).ok()) std::this_thread::yield();
  server.Release();
  EXPECT_TRUE(drained.get());
  ASSERT_TRUE(accepted.status.get().ok());
  EXPECT_GT(accepted.response.results(0).coverage().windows(), 60);
}

// What was computed of it goes, and nothing more is.
TEST(ServiceLoadTest, LongCallEndsAtItsDeadline) {
  TestServer server({.max_batch_tokens = 64, .max_queue_tokens = 64});
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "one ";
  server.Hold();
  AsyncCall expiring(server, text, absl::Now() + absl::Milliseconds(100),
                     v1::LENGTH_POLICY_WINDOW);
  server.WaitUntilHeld();
  EXPECT_EQ(expiring.status.get().error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  server.Release();
  server.WaitForReports(1);
  EXPECT_EQ(server.reports().at(0).code, absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(server.reports().at(0).accepted);
  server.scheduler().Drain(absl::InfiniteFuture());
  EXPECT_EQ(server.batches(), 1);
}

TEST(ServiceLoadTest, WhatIsLeftAtTheDrainsDeadlineIsUnavailable) {
  TestServer server({.max_batch_tokens = 3});
  server.Hold();
  AsyncCall running(server, "a");
  server.WaitUntilHeld();
  AsyncCall waiting(server, "a");
  WaitForQueue(server, 3);
  EXPECT_FALSE(server.service().Drain(absl::InfinitePast()));
  std::thread drain([&] { server.scheduler().Drain(absl::InfinitePast()); });
  EXPECT_EQ(waiting.status.get().error_code(), grpc::StatusCode::UNAVAILABLE);
  server.Release();
  drain.join();
  EXPECT_TRUE(running.status.get().ok());
}

// Far more tokens than the queue holds: many inputs, and one of many windows.
TEST(ServiceLoadTest, RequestOfAnySizeIsAnsweredInRounds) {
  TestServer server({.max_batch_tokens = 64, .max_queue_tokens = 64});
  v1::ClassifyRequest request;
  for (int i = 0; i < 500; ++i) {
    std::string text = "one";
    for (int word = 0; word < i % 8; ++word) text += " two";
    request.add_inputs()->set_text(text);
  }
  request.set_function(v1::FUNCTION_NONE);
  v1::ClassifyResponse response;
  grpc::ClientContext classify;
  ASSERT_TRUE(server.stub().Classify(&classify, request, &response).ok());
  ASSERT_EQ(response.results_size(), 500);
  int64_t tokens = 0;
  for (const v1::ClassifyResult& result : response.results()) {
    tokens += result.coverage().tokens_used();
    EXPECT_EQ(result.labels(0).score(),
              static_cast<float>(result.coverage().tokens_total()));
  }
  EXPECT_LE(response.timing().batch_tokens(), 64);
  server.WaitForReports(1);
  EXPECT_EQ(server.reports()[0].inputs, 500u);
  EXPECT_EQ(server.reports()[0].tokens, static_cast<size_t>(tokens));
  EXPECT_EQ(server.scheduler().queued_tokens(0), 0u);

  v1::AnswerQuestionRequest question;
  question.add_inputs()->set_question("who");
  std::string context;
  while (context.size() < 97'000) context += "one two three ";
  question.mutable_inputs(0)->set_context(context);
  v1::AnswerQuestionResponse answered;
  grpc::ClientContext answer;
  ASSERT_TRUE(server.stub().AnswerQuestion(&answer, question, &answered).ok());
  const v1::Coverage& coverage = answered.results(0).coverage();
  EXPECT_EQ(coverage.tokens_used(), coverage.tokens_total());
  EXPECT_GT(coverage.windows(), 1000);
  ASSERT_EQ(answered.results(0).answers_size(), 1);
  server.WaitForReports(2);
  EXPECT_EQ(server.reports()[1].tokens,
            static_cast<size_t>(coverage.tokens_used()));
}

TEST(ServiceLoadTest, InflightCountsCallsInside) {
  TestServer server;
  server.Hold();
  AsyncCall one(server, "a");
  AsyncCall two(server, "a");
  WaitForInflight(server, 2);
  EXPECT_EQ(server.service().inflight(), 2u);
  server.Release();
  EXPECT_TRUE(one.status.get().ok());
  EXPECT_TRUE(two.status.get().ok());
  EXPECT_TRUE(server.service().Drain(absl::InfiniteFuture()));
  EXPECT_EQ(server.service().inflight(), 0u);
}

}  // namespace
}  // namespace deberta::server
