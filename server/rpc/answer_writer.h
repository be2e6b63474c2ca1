// An answer as it is sent, written in parts as they are ready: of a large one
// there is no other copy.

#ifndef SERVER_RPC_ANSWER_WRITER_H_
#define SERVER_RPC_ANSWER_WRITER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

namespace deberta::server {

// What stands before a field of `size` bytes: its tag and length.
std::string FieldHeader(int number, size_t size);

class AnswerWriter {
 public:
  // The answer is the messages of all parts merged, as Protobuf merges what is
  // concatenated: lists are joined, single fields are the last's.
  void Append(const google::protobuf::MessageLite& part);
  // Appends one element of the repeated field `number`, a message that was
  // serialized in parts.
  void AppendElement(int number, std::vector<std::string> parts);

  size_t bytes() const { return bytes_; }
  // All that was appended, once.
  grpc::ByteBuffer Take();

 private:
  void AppendBytes(std::string bytes);
  void Flush();

  std::vector<grpc::Slice> slices_;
  std::string tail_;  // small parts, not yet a slice
  size_t bytes_ = 0;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_ANSWER_WRITER_H_
