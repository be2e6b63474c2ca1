#include "tests/server/rpc/checked_calls.h"

#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "grpcpp/support/byte_buffer.h"
#include "tests/server/rpc/buffer_bytes.h"

namespace deberta::server {
namespace {

using google::protobuf::MethodDescriptor;

std::string PathOf(const MethodDescriptor& method) {
  return "/" + std::string(method.service()->full_name()) + "/" +
         std::string(method.name());
}

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

void ExpectAnswer(const MethodDescriptor& method,
                  const grpc::ByteBuffer& answer) {
  const std::unique_ptr<google::protobuf::Message> message(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(method.output_type())
          ->New());
  EXPECT_TRUE(message->ParseFromString(BytesOf(answer)));
}

void ExpectCallersFault(const grpc::Status& status) {
  const grpc::StatusCode code = status.error_code();
  EXPECT_TRUE(code == grpc::StatusCode::INVALID_ARGUMENT ||
              code == grpc::StatusCode::NOT_FOUND ||
              code == grpc::StatusCode::FAILED_PRECONDITION ||
              code == grpc::StatusCode::RESOURCE_EXHAUSTED)
      << code << ": " << status.error_message();
  EXPECT_FALSE(DetailsOf(status).info.reason().empty())
      << status.error_message();
}

// One step of a stream at a time.
bool Next(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok));
  return ok;
}

}  // namespace

CheckedCalls::CheckedCalls(const std::string& name, TestServer* server)
    : server_(server),
      stub_(server->listener().server().InProcessChannel(
          grpc::ChannelArguments())) {
  const auto* service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
          name);
  EXPECT_NE(service, nullptr) << name;
  if (service == nullptr) return;
  for (int i = 0; i < service->method_count(); ++i) {
    const MethodDescriptor* method = service->method(i);
    if (!method->name().starts_with("Server")) methods_.push_back(method);
  }
}

bool CheckedCalls::Unary(const MethodDescriptor& method,
                         const std::string& bytes) {
  ++unary_calls_;
  grpc::ClientContext context;
  const grpc::ByteBuffer request = BufferOf(bytes);
  grpc::ByteBuffer answer;
  std::promise<grpc::Status> done;
  stub_.UnaryCall(&context, PathOf(method), {}, &request, &answer,
                  [&](grpc::Status status) { done.set_value(status); });
  const grpc::Status status = done.get_future().get();
  if (status.ok()) {
    ExpectAnswer(method, answer);
  } else {
    ExpectCallersFault(status);
  }
  return status.ok();
}

size_t CheckedCalls::Stream(const MethodDescriptor& method,
                            const std::string& bytes) {
  ++streams_;
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto stream = stub_.PrepareCall(&context, PathOf(method), &queue);
  stream->StartCall(nullptr);
  bool writes = Next(queue);
  for (int i = 0; i < 2 && writes; ++i) {
    stream->Write(BufferOf(bytes), nullptr);
    writes = Next(queue);
  }
  if (writes) {
    stream->WritesDone(nullptr);
    Next(queue);
  }
  size_t answers = 0;
  grpc::ByteBuffer answer;
  for (;; ++answers) {
    stream->Read(&answer, nullptr);
    if (!Next(queue)) break;
    ExpectAnswer(method, answer);
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  Next(queue);
  if (!status.ok()) ExpectCallersFault(status);
  return answers;
}

void CheckedCalls::Finish() {
  server_->WaitForReports(unary_calls_);
  // What a call holds is free when its answer is sent, which a client sees
  // first.
  EXPECT_TRUE(server_->service().Drain(absl::InfiniteFuture()));
  EXPECT_EQ(server_->service().held_bytes(), 0u);
  if (streams_ == 0) {
    EXPECT_EQ(server_->reports().size(), unary_calls_);
  }
}

}  // namespace deberta::server
