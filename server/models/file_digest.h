// SHA-256 of files.

#ifndef SERVER_MODELS_FILE_DIGEST_H_
#define SERVER_MODELS_FILE_DIGEST_H_

#include <string>

#include "absl/status/statusor.h"

namespace deberta::server {

// 64 lower-case hexadecimal digits. NotFound if the file cannot be opened.
absl::StatusOr<std::string> Sha256OfFile(const std::string& path);

}  // namespace deberta::server

#endif  // SERVER_MODELS_FILE_DIGEST_H_
