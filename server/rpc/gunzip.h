// Compressed requests, unpacked no further than they may be.

#ifndef SERVER_RPC_GUNZIP_H_
#define SERVER_RPC_GUNZIP_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace deberta::server {

// Whether `bytes` begin as gzip does, which no protobuf message begins as: its
// first byte would be the tag of a wire type that there is not.
bool IsGzip(std::string_view bytes);

// What `bytes` unpack to. ResourceExhausted if that is more than `most` bytes,
// of which no more are unpacked; InvalidArgument if they are no gzip.
absl::StatusOr<std::string> Gunzip(std::string_view bytes, size_t most);

}  // namespace deberta::server

#endif  // SERVER_RPC_GUNZIP_H_
