#include "tests/server/rpc/mutated_requests.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "tests/server/rpc/buffer_bytes.h"

namespace deberta::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr int kRequests = 4000;

class RandomRequests {
 public:
  RandomRequests(uint32_t seed, std::function<void(Message*)> adjust)
      : random_(seed), adjust_(std::move(adjust)) {}

  size_t Below(size_t count) { return random_() % count; }

  std::string Bytes(const Descriptor& type) {
    const std::unique_ptr<Message> message(
        google::protobuf::MessageFactory::generated_factory()
            ->GetPrototype(&type)
            ->New());
    Fill(message.get());
    if (adjust_ != nullptr) adjust_(message.get());
    std::string bytes = message->SerializePartialAsString();
    // Half as they are.
    for (size_t left = Below(2) * Below(6); left > 0; --left) Mutate(&bytes);
    return bytes;
  }

 private:
  std::string Text() {
    static const char* const kTexts[] = {"",
                                         "labels",
                                         "text",
                                         "tagger",
                                         "reader",
                                         "filler",
                                         "[MASK]",
                                         "a [MASK] b",
                                         "{}",
                                         "is it {}?",
                                         "O",
                                         "\xff",
                                         "\xc3\xa9",
                                         "\xf0\x9f\x98\x80",
                                         "The quick brown fox",
                                         " ",
                                         "\xef\xb7\xba"};
    std::string text = kTexts[Below(std::size(kTexts))];
    if (Below(20) == 0) {
      const size_t times = Below(200);
      std::string many;
      for (size_t i = 0; i < times; ++i) many += text + " ";
      return many;
    }
    return text;
  }

  int64_t Number() {
    static const int64_t kNumbers[] = {0,  1,    2,          3,          5,
                                       -1, 1000, 2147483647, -2147483648};
    return kNumbers[Below(std::size(kNumbers))];
  }

  void Fill(Message* message) {
    const Descriptor& type = *message->GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* field = type.field(i);
      size_t count = Below(5) == 0 ? 0 : 1;
      if (field->is_repeated()) count = Below(4);
      for (; count > 0; --count) Set(message, field);
    }
  }

  void Set(Message* message, const FieldDescriptor* field) {
    const google::protobuf::Reflection& set = *message->GetReflection();
    const bool many = field->is_repeated();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Fill(many ? set.AddMessage(message, field)
                         : set.MutableMessage(message, field));
      case FieldDescriptor::CPPTYPE_STRING:
        return many ? set.AddString(message, field, Text())
                    : set.SetString(message, field, Text());
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!many) set.SetBool(message, field, Below(2) == 0);
        return;
      case FieldDescriptor::CPPTYPE_INT32:
        if (!many) set.SetInt32(message, field, static_cast<int32_t>(Number()));
        return;
      case FieldDescriptor::CPPTYPE_ENUM:
        if (!many) set.SetEnumValue(message, field, static_cast<int>(Below(6)));
        return;
      case FieldDescriptor::CPPTYPE_FLOAT:
        if (!many)
          set.SetFloat(message, field, static_cast<float>(Number()) / 2);
        return;
      default:
        return;
    }
  }

  void Mutate(std::string* bytes) {
    const size_t at = Below(bytes->size() + 1);
    switch (Below(4)) {
      case 0:
        bytes->insert(at, 1, static_cast<char>(Below(256)));
        return;
      case 1:
        bytes->erase(at, 1 + Below(4));
        return;
      case 2:
        if (at < bytes->size())
          (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << Below(8)));
        return;
      default:
        bytes->insert(at, bytes->substr(Below(bytes->size() + 1), Below(40)));
    }
  }

  std::mt19937 random_;
  const std::function<void(Message*)> adjust_;
};

grpc::Status Send(grpc::GenericStub& stub, const MethodDescriptor& method,
                  const std::string& bytes, std::string* answer) {
  grpc::ClientContext context;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(
      &context,
      "/" + method.service()->full_name() + "/" + std::string(method.name()),
      {}, &request, &response,
      [&](grpc::Status status) { done.set_value(status); });
  const grpc::Status status = done.get_future().get();
  if (status.ok()) *answer = BytesOf(response);
  return status;
}

}  // namespace

void SendMutatedRequests(const std::string& name, TestServer* server,
                         const std::function<void(Message*)>& adjust) {
  const auto* service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
          name);
  ASSERT_NE(service, nullptr);
  const auto seed =
      static_cast<uint32_t>(testing::UnitTest::GetInstance()->random_seed());
  RandomRequests requests(seed, adjust);
  grpc::GenericStub stub(
      server->listener().server().InProcessChannel(grpc::ChannelArguments()));
  std::vector<const MethodDescriptor*> methods;  // of one request
  for (int i = 0; i < service->method_count(); ++i) {
    const MethodDescriptor* method = service->method(i);
    // Those of the server as a whole are answered without a report.
    if (!method->client_streaming() && !method->name().starts_with("Server"))
      methods.push_back(method);
  }
  int answered = 0;
  for (int i = 0; i < kRequests; ++i) {
    const MethodDescriptor& method = *methods[requests.Below(methods.size())];
    const std::string bytes = requests.Bytes(*method.input_type());
    std::string answer;
    const grpc::Status status = Send(stub, method, bytes, &answer);
    SCOPED_TRACE(testing::Message()
                 << "seed " << seed << ", request " << i << " of "
                 << method.name() << ": " << status.error_message());
    if (status.ok()) {
      ++answered;
      const std::unique_ptr<Message> message(
          google::protobuf::MessageFactory::generated_factory()
              ->GetPrototype(method.output_type())
              ->New());
      EXPECT_TRUE(message->ParseFromString(answer));
      continue;
    }
    const grpc::StatusCode code = status.error_code();
    EXPECT_TRUE(code == grpc::StatusCode::INVALID_ARGUMENT ||
                code == grpc::StatusCode::NOT_FOUND ||
                code == grpc::StatusCode::FAILED_PRECONDITION ||
                code == grpc::StatusCode::RESOURCE_EXHAUSTED)
        << code;
    EXPECT_FALSE(DetailsOf(status).info.reason().empty());
  }
  EXPECT_GT(answered, kRequests / 50);
  server->WaitForReports(kRequests);
  EXPECT_EQ(server->reports().size(), static_cast<size_t>(kRequests));
  // What a call holds is free when its answer is sent, which a client sees first.
  EXPECT_TRUE(server->service().Drain(absl::InfiniteFuture()));
  EXPECT_EQ(server->service().held_bytes(), 0u);
}

}  // namespace deberta::server
