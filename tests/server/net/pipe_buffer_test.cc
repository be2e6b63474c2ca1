#include "server/net/pipe_buffer.h"

#include <gtest/gtest.h>

#include <cstring>

namespace deberta::server {
namespace {

TEST(PipeBufferTest, KeepsBytesInOrder) {
  PipeBlocks blocks;
  PipeBuffer buffer(&blocks);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.bytes(), "");
  std::memcpy(buffer.space(), "abcdef", 6);
  buffer.Written(6);
  buffer.Consume(2);
  EXPECT_EQ(buffer.bytes(), "cdef");
  EXPECT_EQ(buffer.space_bytes(), kPipeBytes - 6);
  buffer.Consume(4);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.space_bytes(), kPipeBytes);
}

TEST(PipeBufferTest, GivesItsBlockBackOnlyWhenEmpty) {
  PipeBlocks blocks;
  PipeBuffer first(&blocks);
  char* const block = first.space();
  first.Written(1);
  first.Trim();
  EXPECT_EQ(first.bytes().data(), block);
  first.Consume(1);
  first.Trim();
  PipeBuffer second(&blocks);
  EXPECT_EQ(second.space(), block);
}

}  // namespace
}  // namespace deberta::server
