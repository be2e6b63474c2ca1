// Whether a model that is to be loaded fits beside what the process holds.

#ifndef SERVER_MODELS_MEMORY_ROOM_H_
#define SERVER_MODELS_MEMORY_ROOM_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace deberta::server {

// ResourceExhausted, with the figures, if `bytes` more than `held` are above
// `limit`. OK without a limit.
absl::Status CheckRoom(size_t bytes, size_t held, std::optional<size_t> limit);

// Bytes of the files in a directory; 0 if it cannot be read.
size_t DirectoryBytes(const std::string& directory);

}  // namespace deberta::server

#endif  // SERVER_MODELS_MEMORY_ROOM_H_
