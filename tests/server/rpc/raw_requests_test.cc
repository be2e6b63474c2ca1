// Requests as bytes, as no generated client sends them.

#include <gtest/gtest.h>
#include <sched.h>

#include <string>
#include <vector>

#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/base/clock.h"
#include "server/rpc/service.h"
#include "tests/server/rpc/buffer_bytes.h"
#include "tests/server/rpc/test_server.h"

namespace deberta::server {
namespace {

const char* const kMethods[] = {
    "Classify", "TagTokens", "AnswerQuestion", "FillMask", "ClassifyZeroShot",
    "Encode",   "Tokenize",  "ListModels",     "GetModel"};

grpc::Status Send(TestServer& server, const std::string& method,
                  const std::string& bytes, std::string* answer = nullptr) {
  grpc::GenericStub stub(
      server.listener().server().InProcessChannel(grpc::ChannelArguments()));
  grpc::ClientContext context;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareUnaryCall(
      &context, "/deberta.v1.DebertaService/" + method, request, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok) && ok);
  if (answer != nullptr && status.ok()) *answer = BytesOf(response);
  return status;
}

// These ended with UNIMPLEMENTED and no message.
TEST(RawRequestsTest, TextThatIsNotUtf8NamesItsField) {
  TestServer server;
  for (const std::string method : {"Classify", "Encode", "Tokenize"}) {
    const grpc::Status status =
        Send(server, method, "\x12\x03\x0a\x01x\x12\x03\x0a\x01\xff");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(DetailsOf(status).field(), "inputs[1].text") << method;
  }
  for (const std::string method :
       {"TagTokens", "FillMask", "ClassifyZeroShot"}) {
    const grpc::Status status = Send(server, method, "\x12\x01\xc0");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(DetailsOf(status).field(), "inputs[0]") << method;
  }
  const grpc::Status status =
      Send(server, "AnswerQuestion", "\x12\x03\x0a\x01\xff");
  EXPECT_EQ(DetailsOf(status).field(), "inputs[0].question");
  EXPECT_EQ(DetailsOf(Send(server, "GetModel", "\x0a\x01\xff")).field(),
            "model");
}

TEST(RawRequestsTest, BytesThatAreNoMessageAreInvalid) {
  TestServer server;
  for (const std::string method : kMethods) {
    const grpc::Status status = Send(server, method, "\x0a\xff\xff");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << method;
    EXPECT_EQ(DetailsOf(status).info.reason(), "INVALID_INPUT") << method;
  }
}

// Of every method, whatever became of the call.
TEST(RawRequestsTest, EveryMethodIsReportedOnce) {
  TestServer server;
  size_t reports = 0;
  for (const std::string method : kMethods) {
    for (const std::string bytes : {"", "\x0a\x02no", "\xff"}) {
      Send(server, method, bytes);
      server.WaitForReports(++reports);
    }
  }
  EXPECT_EQ(server.reports().size(), reports);
  EXPECT_EQ(server.service().inflight(), 0u);
  EXPECT_EQ(server.reports().back().method, kGetModelMethod);
}

// Parsed, these took a gigabyte before they were refused.
TEST(RawRequestsTest, AMessageOfTooManyPartsIsNotParsed) {
  TestServer server;
  const struct {
    const char* name;
    std::string element;
  } cases[] = {{"one-letter inputs", "\x12\x03\x0a\x01x"},
               {"empty inputs", std::string("\x12\x00", 2)},
               {"unknown fields", "\x78\x01"}};
  for (const auto& c : cases) {
    std::string bytes;
    while (bytes.size() < (size_t{4} << 20) - 8) bytes += c.element;
    for (const std::string method : {"Classify", "Tokenize"}) {
      const grpc::Status status = Send(server, method, bytes);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
          << c.name << ", " << method;
      EXPECT_EQ(DetailsOf(status).info.reason(), "REQUEST_TOO_LARGE");
      EXPECT_EQ(server.reports().back().rejection, Rejection::kTooLarge);
    }
  }
  // An answer is there a little before its call has left.
  ASSERT_TRUE(server.service().Drain(SteadyNow() + absl::Minutes(1)));
  EXPECT_EQ(server.service().held_bytes(), 0u);
}

// The most that a message may hold of texts as short as a line.
TEST(RawRequestsTest, AFullMessageOfShortTextsIsAnswered) {
  TestServer server({.max_batch_tokens = 4096, .max_queue_tokens = 32768});
  v1::ClassifyRequest request;
  const std::string text = "a few words that make a line of forty bytes";
  while (request.inputs_size() < 84'000) request.add_inputs()->set_text(text);
  std::string answer;
  const grpc::Status status =
      Send(server, "Classify", request.SerializeAsString(), &answer);
  ASSERT_TRUE(status.ok()) << status.error_message();
  v1::ClassifyResponse response;
  ASSERT_TRUE(response.ParseFromString(answer));
  EXPECT_EQ(response.results_size(), request.inputs_size());
}

TEST(RawRequestsTest, LongTokenizationsComeWhole) {
  TestServer server;
  v1::TokenizeRequest request;
  request.set_model("labels");
  for (const int words : {0, 1, 4095, 4096, 4097, 30'000}) {
    std::string text;
    for (int i = 0; i < words; ++i) text += " a";
    request.add_inputs()->set_text(text);
  }
  std::string answer;
  ASSERT_TRUE(
      Send(server, "Tokenize", request.SerializeAsString(), &answer).ok());
  v1::TokenizeResponse response;
  ASSERT_TRUE(response.ParseFromString(answer));
  ASSERT_EQ(response.results_size(), 6);
  EXPECT_EQ(response.model().name(), "labels");
  for (int i = 0; i < 6; ++i) {
    const v1::TokenizeResult& result = response.results(i);
    const int tokens = result.ids_size();
    EXPECT_EQ(result.tokens_size(), tokens);
    EXPECT_EQ(result.offsets_size(), tokens);
    EXPECT_EQ(result.token_type_ids_size(), tokens);
    EXPECT_EQ(result.special_tokens_mask_size(), tokens);
    EXPECT_EQ(result.tokens(0), "[CLS]");
    EXPECT_EQ(result.tokens(tokens - 1), "[SEP]");
  }
  EXPECT_GT(response.results(5).ids_size(), 30'000);
  EXPECT_EQ(server.reports().back().inputs, 6u);
}

}  // namespace
}  // namespace deberta::server
