#include "server/rpc/process_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "deberta/v1/deberta.pb.h"
#include "tests/server/rpc/buffer_bytes.h"

namespace deberta::server {
namespace {

using testing::HasSubstr;

absl::StatusOr<ProcessItem> Read(const std::string& bytes) {
  return ReadProcessItem(grpc::Slice(bytes));
}

TEST(ProcessMessagesTest, TakesTheRequestOut) {
  v1::ProcessRequest request;
  request.set_id("row 7");
  request.mutable_classify()->set_model("m");
  request.mutable_classify()->add_inputs()->set_text("text");
  const auto item = Read(request.SerializeAsString());
  ASSERT_TRUE(item.ok()) << item.status();
  EXPECT_EQ(item->id, "row 7");
  EXPECT_EQ(item->method, Method::kClassify);
  EXPECT_EQ(BytesOf(item->request), request.classify().SerializeAsString());
}

TEST(ProcessMessagesTest, KnowsEveryRequestOfTheProto) {
  const auto* oneof = v1::ProcessRequest::descriptor()->oneof_decl(0);
  ASSERT_GE(oneof->field_count(), 7);
  for (int i = 0; i < oneof->field_count(); ++i) {
    const auto* field = oneof->field(i);
    v1::ProcessRequest request;
    request.GetReflection()->MutableMessage(&request, field);
    const auto item = Read(request.SerializeAsString());
    ASSERT_TRUE(item.ok()) << field->name();
    ASSERT_TRUE(item->method.has_value()) << field->name();
    v1::ProcessResponse response;
    ASSERT_TRUE(response.ParseFromString(
        BytesOf(ProcessAnswer("id", *item->method, grpc::ByteBuffer()))));
    EXPECT_EQ(response.id(), "id");
    const auto* answer =
        response.descriptor()->FindFieldByNumber(field->number());
    ASSERT_NE(answer, nullptr) << field->name();
    EXPECT_EQ(answer->name(), field->name());
    EXPECT_TRUE(response.GetReflection()->HasField(response, answer))
        << field->name();
  }
}

TEST(ProcessMessagesTest, AMessageMayHoldNoRequestThatIsKnown) {
  for (const std::string bytes : {"", "\x0a\x01x", "\x0a\x01x\xfa\x01\x02hi"}) {
    const auto item = Read(bytes);
    ASSERT_TRUE(item.ok()) << item.status();
    EXPECT_FALSE(item->method.has_value());
  }
}

TEST(ProcessMessagesTest, RefusesWhatIsNoMessage) {
  v1::ProcessRequest request;
  request.set_id("id");
  request.mutable_encode()->add_inputs()->set_text("text");
  const std::string whole = request.SerializeAsString();
  for (size_t length = 1; length < whole.size(); ++length) {
    if (length == 4) continue;  // the id alone
    EXPECT_FALSE(Read(whole.substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(Read("\x12\xff\xff\xff\xff\x0f").ok());  // a length of 4 GiB
  EXPECT_FALSE(Read("\x08\x01").ok());                  // a number as id
  EXPECT_FALSE(Read(std::string("\x00\x01", 2)).ok());
  EXPECT_THAT(Read(whole + whole).status().message(), HasSubstr("several"));
}

TEST(ProcessMessagesTest, BoundsTheId) {
  v1::ProcessRequest request;
  request.set_id(std::string(kMaxProcessIdBytes, 'x'));
  EXPECT_TRUE(Read(request.SerializeAsString()).ok());
  request.set_id(std::string(kMaxProcessIdBytes + 1, 'x'));
  EXPECT_THAT(Read(request.SerializeAsString()).status().message(),
              HasSubstr("at most 256 bytes, got 257"));
  EXPECT_THAT(Read("\x0a\x01\xff").status().message(), HasSubstr("UTF-8"));
}

TEST(ProcessMessagesTest, AFailureIsAsThatOfACall) {
  v1::ProcessResponse response;
  ASSERT_TRUE(response.ParseFromString(BytesOf(ProcessFailure(
      "id", grpc::Status(grpc::StatusCode::NOT_FOUND, "none", "details")))));
  EXPECT_EQ(response.id(), "id");
  EXPECT_EQ(response.error().code(), 5);
  EXPECT_EQ(response.error().message(), "none");
  EXPECT_EQ(response.error().details(), "details");
}

}  // namespace
}  // namespace deberta::server
