#include "server/rpc/process_stream.h"

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"
#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

using Stream =
    grpc::ClientReaderWriter<v1::ProcessRequest, v1::ProcessResponse>;

v1::ProcessRequest Ask(const std::string& id, const std::string& text) {
  v1::ProcessRequest request;
  request.set_id(id);
  *request.mutable_classify() = ClassifyText(text);
  return request;
}

std::map<std::string, v1::ProcessResponse> ReadAll(Stream& stream) {
  std::map<std::string, v1::ProcessResponse> answers;
  v1::ProcessResponse response;
  while (stream.Read(&response)) {
    EXPECT_TRUE(answers.try_emplace(response.id(), response).second)
        << response.id();
  }
  return answers;
}

TEST(ProcessStreamTest, AnswersEachAsACallOfItsOwn) {
  TestServer server;
  grpc::ClientContext context;
  const auto stream = server.stub().Process(&context);
  constexpr int kRequests = 200;
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) {
      v1::ProcessRequest request = Ask(absl::StrCat(i), "a text");
      if (i % 4 == 1) {
        request.mutable_tokenize()->set_model("labels");
        request.mutable_tokenize()->add_inputs()->set_text("word");
      }
      if (i % 4 == 2) request.mutable_classify()->set_model("nobody");
      if (i % 4 == 3) request.clear_request();
      EXPECT_TRUE(stream->Write(request));
    }
    EXPECT_TRUE(stream->WritesDone());
  });
  const auto answers = ReadAll(*stream);
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  ASSERT_EQ(answers.size(), kRequests);

  grpc::ClientContext alone;
  v1::ClassifyResponse expected;
  ASSERT_TRUE(
      server.stub().Classify(&alone, ClassifyText("a text"), &expected).ok());
  for (int i = 0; i < kRequests; ++i) {
    const v1::ProcessResponse& answer = answers.at(absl::StrCat(i));
    switch (i % 4) {
      case 0:
        ASSERT_TRUE(answer.has_classify()) << answer.error().message();
        EXPECT_EQ(answer.classify().results(0).SerializeAsString(),
                  expected.results(0).SerializeAsString());
        break;
      case 1:
        EXPECT_EQ(answer.tokenize().results_size(), 1);
        break;
      case 2:
        EXPECT_EQ(answer.error().code(), grpc::StatusCode::NOT_FOUND);
        EXPECT_FALSE(answer.error().details().empty());
        break;
      default:
        EXPECT_EQ(answer.error().code(), grpc::StatusCode::INVALID_ARGUMENT);
    }
  }
}

TEST(ProcessStreamTest, ReadsOnlySoManyAhead) {
  TestServer server;
  server.Hold();
  grpc::ClientContext context;
  const auto stream = server.stub().Process(&context);
  std::thread writer([&] {
    for (size_t i = 0; i < 2 * ProcessStream::kMostUnanswered; ++i)
      stream->Write(Ask(absl::StrCat(i), "text"));
    stream->WritesDone();
  });
  server.WaitUntilHeld();
  while (server.service().inflight() < ProcessStream::kMostUnanswered)
    std::this_thread::yield();
  EXPECT_EQ(server.service().inflight(), ProcessStream::kMostUnanswered);
  server.Release();
  EXPECT_EQ(ReadAll(*stream).size(), 2 * ProcessStream::kMostUnanswered);
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(ProcessStreamTest, ACancelledStreamLeavesNothing) {
  TestServer server;
  server.Hold();
  grpc::ClientContext context;
  const auto stream = server.stub().Process(&context);
  for (int i = 0; i < 8; ++i) stream->Write(Ask(absl::StrCat(i), "text"));
  server.WaitUntilHeld();
  context.TryCancel();
  server.Release();
  server.WaitForReports(8);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  while (server.service().held_bytes() > 0) std::this_thread::yield();
}

TEST(ProcessStreamTest, ADrainAnswersWhatWasReadAndEndsIdleStreams) {
  TestServer server;
  grpc::ClientContext idle_context;
  const auto idle = server.stub().Process(&idle_context);
  idle->Write(Ask("first", "text"));
  v1::ProcessResponse response;
  ASSERT_TRUE(idle->Read(&response));
  server.Hold();
  grpc::ClientContext context;
  const auto stream = server.stub().Process(&context);
  stream->Write(Ask("asked", "text"));
  server.WaitUntilHeld();
  auto drained = std::async(std::launch::async, [&] {
    return server.service().Drain(SteadyNow() + absl::Seconds(60));
  });
  EXPECT_FALSE(idle->Read(&response));
  EXPECT_EQ(idle->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  server.Release();
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_classify());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(drained.get());

  grpc::ClientContext late_context;
  const auto late = server.stub().Process(&late_context);
  EXPECT_EQ(late->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(ProcessStreamTest, ABadMessageEndsTheStream) {
  TestServer server;
  grpc::ClientContext context;
  const auto stream = server.stub().Process(&context);
  stream->Write(Ask(std::string(300, 'x'), "text"));
  v1::ProcessResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(status.error_message().find("at most 256 bytes"),
            std::string::npos);
}

TEST(ProcessStreamTest, SoManyStreamsMayBeOpen) {
  TestServer server;
  struct Opened {
    grpc::ClientContext context;
    std::unique_ptr<Stream> stream;
  };
  std::vector<std::unique_ptr<Opened>> open;
  v1::ProcessResponse response;
  for (size_t i = 0; i < ProcessStreams::kMost; ++i) {
    open.push_back(std::make_unique<Opened>());
    open.back()->stream = server.stub().Process(&open.back()->context);
    open.back()->stream->Write(Ask("id", "text"));
    ASSERT_TRUE(open.back()->stream->Read(&response)) << i;
  }
  grpc::ClientContext context;
  const auto refused = server.stub().Process(&context);
  EXPECT_FALSE(refused->Read(&response));
  const grpc::Status status = refused->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(DetailsOf(status).info.reason(), "TOO_MANY_STREAMS");
  for (const auto& opened : open) {
    opened->stream->WritesDone();
    EXPECT_TRUE(opened->stream->Finish().ok());
  }
}

}  // namespace
}  // namespace deberta::server
