// The messages of a Process stream around the requests and answers that they
// hold, which are taken out and put in as bytes.

#ifndef SERVER_RPC_PROCESS_MESSAGES_H_
#define SERVER_RPC_PROCESS_MESSAGES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/support/status.h"
#include "server/rpc/make_call.h"

namespace deberta::server {

inline constexpr size_t kMaxProcessIdBytes = 256;

struct ProcessItem {
  std::string id;
  // None where the message holds no request that this version knows.
  std::optional<Method> method;
  grpc::ByteBuffer request;  // bytes of the message
};

// Reads a ProcessRequest. InvalidArgument if the bytes are none, the id is not
// UTF-8 or too long, or there are several requests. The request shares the
// message's memory.
absl::StatusOr<ProcessItem> ReadProcessItem(const grpc::Slice& message);

// A ProcessResponse of the answer's bytes, which it shares.
grpc::ByteBuffer ProcessAnswer(std::string_view id, Method method,
                               const grpc::ByteBuffer& answer);
// One of an error.
grpc::ByteBuffer ProcessFailure(std::string_view id,
                                const grpc::Status& status);

}  // namespace deberta::server

#endif  // SERVER_RPC_PROCESS_MESSAGES_H_
