#include "server/rpc/message_shape.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "deberta/v1/deberta.pb.h"
#include "google/protobuf/stubs/logging.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

using google::protobuf::Descriptor;

const Descriptor& Classify() { return *v1::ClassifyRequest::descriptor(); }

size_t FieldsOf(const std::string& bytes, const Descriptor& type = Classify()) {
  const absl::StatusOr<MessageShape> shape = ReadShape(bytes, type);
  EXPECT_TRUE(shape.ok()) << shape.status();
  return shape.ok() ? shape->fields : 0;
}

TEST(MessageShapeTest, CountsFieldsAtEveryDepth) {
  EXPECT_EQ(FieldsOf(""), 0u);
  v1::ClassifyRequest request;
  request.set_model("m");
  request.set_top_k(-1);
  request.set_stride(300);
  v1::TextInput* input = request.add_inputs();
  input->set_text("é");
  input->add_choices("a");
  input->add_choices("b");
  request.add_inputs();
  EXPECT_EQ(FieldsOf(request.SerializeAsString()), 3u + 2u + 3u);
}

// As a newer client may send them, and an attacker will.
TEST(MessageShapeTest, CountsUnknownFields) {
  v1::ClassifyRequest request;
  google::protobuf::UnknownFieldSet* unknown =
      request.GetReflection()->MutableUnknownFields(&request);
  unknown->AddVarint(100, 7);
  unknown->AddFixed32(101, 7);
  unknown->AddFixed64(102, 7);
  unknown->AddLengthDelimited(103, "\xff\xfe, no text");
  unknown->AddGroup(104)->AddGroup(5)->AddVarint(1, 1);
  EXPECT_EQ(FieldsOf(request.SerializeAsString()), 7u);
}

TEST(MessageShapeTest, NamesTextThatIsNotUtf8) {
  const struct {
    const Descriptor* type;
    std::string bytes;
    std::string field;
  } cases[] = {
      {&Classify(), "\x0a\x02\xc3\x28", "model"},
      {&Classify(), std::string("\x12\x02\x0a\x00\x12\x05\x0a\x03xy\xff", 11),
       "inputs[1].text"},
      {&Classify(), "\x12\x03\x12\x01\x80", "inputs[0].text_pair"},
      {&Classify(), "\x12\x06\x1a\x01x\x1a\x01\xff", "inputs[0].choices[1]"},
      {v1::TagTokensRequest::descriptor(), "\x12\x01x\x12\x01\xff",
       "inputs[1]"},
      {v1::TagTokensRequest::descriptor(), "\x22\x01\xff", "ignore_labels[0]"},
      {v1::AnswerQuestionRequest::descriptor(), "\x12\x03\x12\x01\xff",
       "inputs[0].context"},
      {v1::FillMaskRequest::descriptor(), "\x22\x01\xff", "targets[0]"},
      {v1::ClassifyZeroShotRequest::descriptor(), "\x22\x01\xff",
       "hypothesis_template"},
      {v1::GetModelRequest::descriptor(), "\x0a\x01\xff", "model"},
  };
  for (const auto& c : cases) {
    const absl::Status status = ReadShape(c.bytes, *c.type).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.field;
    EXPECT_EQ(InputErrorField(status), c.field);
    EXPECT_NE(status.message().find("UTF-8"), std::string::npos) << status;
  }
}

TEST(MessageShapeTest, SaysWhereBytesAreNoMessage) {
  const struct {
    std::string bytes;
    std::string field;
  } cases[] = {
      {"\x0a", ""},                              // no length
      {"\x0a\x05x", "model"},                    // shorter than its length
      {"\x12\x04\x0a\x09xy", "inputs[0].text"},  // longer than its message
      {"\x28", "return_logits"},                 // no value
      {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", ""},
      {std::string("\x00", 1), ""},  // field 0
      {"\x03", ""},                  // a group of field 0
      {"\x1b", ""},                  // a group without an end
      {"\x1b\x24", ""},              // with the end of another
      {"\x04", ""},                  // an end of field 0
      {"\x1c", ""},                  // an end alone
      {"\x0e", ""},                  // no such wire type
  };
  for (const auto& c : cases) {
    const absl::Status status = ReadShape(c.bytes, Classify()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument)
        << testing::PrintToString(c.bytes);
    EXPECT_NE(status.message().find("deberta.v1.ClassifyRequest"),
              std::string::npos)
        << status;
    if (!c.field.empty()) {
      EXPECT_EQ(InputErrorField(status), c.field);
    }
  }
}

// A million starts of groups are not a million frames of the stack.
TEST(MessageShapeTest, DepthIsBounded) {
  const std::string groups(1'000'000, '\x73');
  EXPECT_FALSE(ReadShape(groups, Classify()).ok());
}

// What passes is parsed, and what is parsed passes.
TEST(MessageShapeTest, AgreesWithTheParser) {
  google::protobuf::LogSilencer quiet;
  v1::ClassifyRequest request;
  request.set_model("model");
  request.set_return_logits(true);
  for (const char* text : {"one", "zwei", "três", "四"}) {
    v1::TextInput* input = request.add_inputs();
    input->set_text(text);
    input->set_text_pair("pair");
  }
  const std::string good = request.SerializeAsString();
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    for (int edits = 1 + static_cast<int>(random() % 3); edits > 0; --edits) {
      bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const bool passes = ReadShape(bytes, Classify()).ok();
    refused += passes ? 0 : 1;
    EXPECT_EQ(passes, v1::ClassifyRequest().ParseFromString(bytes))
        << testing::PrintToString(bytes);
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace deberta::server
