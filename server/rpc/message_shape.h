// What a message holds, read from its bytes before it is parsed: parsing a
// message of many small fields takes a hundred times its bytes, and gRPC's own
// parser does not tell what is wrong with one.

#ifndef SERVER_RPC_MESSAGE_SHAPE_H_
#define SERVER_RPC_MESSAGE_SHAPE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"

namespace deberta::server {

struct MessageShape {
  // At every depth, unknown ones included.
  size_t fields = 0;
  // Bytes of the longest string.
  size_t longest_string = 0;
};

// InvalidArgument if the bytes are no message of the type, or an InputError
// that names the first string which is not UTF-8, as "inputs[3].text".
absl::StatusOr<MessageShape> ReadShape(
    std::string_view bytes, const google::protobuf::Descriptor& type);

}  // namespace deberta::server

#endif  // SERVER_RPC_MESSAGE_SHAPE_H_
