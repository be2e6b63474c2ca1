#include "server/rpc/answer_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "deberta/v1/deberta.pb.h"
#include "tests/server/rpc/buffer_bytes.h"

namespace deberta::server {
namespace {

TEST(AnswerWriterTest, PartsAreTheWhole) {
  v1::ClassifyResponse whole;
  AnswerWriter writer;
  for (int i = 0; i < 20'000; ++i) {
    v1::ClassifyResponse part;
    v1::LabelScore* label = part.add_results()->add_labels();
    label->set_label(std::string(static_cast<size_t>(i % 50), 'x'));
    label->set_index(i);
    *whole.add_results() = part.results(0);
    writer.Append(part);
  }
  whole.mutable_model()->set_name("m");
  whole.mutable_timing()->set_total_us(7);
  v1::ClassifyResponse tail;
  *tail.mutable_model() = whole.model();
  *tail.mutable_timing() = whole.timing();
  writer.Append(tail);

  const std::string expected = whole.SerializeAsString();
  EXPECT_EQ(writer.bytes(), expected.size());
  EXPECT_EQ(BytesOf(writer.Take()), expected);
}

// Lists of numbers that come in parts are joined, as every parser must.
TEST(AnswerWriterTest, AnElementMayComeInParts) {
  v1::TokenizeResponse whole;
  AnswerWriter writer;
  for (const int tokens : {0, 1, 10, 100'000}) {
    v1::TokenizeResult* result = whole.add_results();
    std::vector<std::string> parts;
    for (int begin = 0; begin < tokens; begin += 4096) {
      v1::TokenizeResult part;
      for (int i = begin; i < std::min(begin + 4096, tokens); ++i) {
        part.add_ids(i);
        part.add_tokens("t");
        part.add_offsets()->set_start(i);
      }
      result->MergeFrom(part);
      parts.push_back(part.SerializeAsString());
    }
    writer.AppendElement(v1::TokenizeResponse::kResultsFieldNumber,
                         std::move(parts));
  }
  const size_t bytes = writer.bytes();
  const std::string sent = BytesOf(writer.Take());
  EXPECT_EQ(sent.size(), bytes);
  v1::TokenizeResponse parsed;
  ASSERT_TRUE(parsed.ParseFromString(sent));
  EXPECT_EQ(parsed.SerializeAsString(), whole.SerializeAsString());
}

TEST(AnswerWriterTest, NothingIsAnEmptyMessage) {
  AnswerWriter writer;
  writer.Append(v1::ListModelsResponse());
  const grpc::ByteBuffer buffer = writer.Take();
  EXPECT_TRUE(buffer.Valid());
  EXPECT_EQ(buffer.Length(), 0u);
}

}  // namespace
}  // namespace deberta::server
