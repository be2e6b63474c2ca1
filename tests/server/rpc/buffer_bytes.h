#ifndef TESTS_SERVER_RPC_BUFFER_BYTES_H_
#define TESTS_SERVER_RPC_BUFFER_BYTES_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "grpcpp/support/byte_buffer.h"

namespace deberta::server {

// Of a buffer that is valid.
inline std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace deberta::server

#endif  // TESTS_SERVER_RPC_BUFFER_BYTES_H_
