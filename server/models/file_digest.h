// SHA-256 of files.

#ifndef SERVER_MODELS_FILE_DIGEST_H_
#define SERVER_MODELS_FILE_DIGEST_H_

#include <string>

#include "absl/status/statusor.h"
#include "model/checkpoint/mapped_file.h"

namespace deberta::server {

// 64 lower-case hexadecimal digits, of the bytes that are mapped. Pages that
// were read for it alone are given back.
absl::StatusOr<std::string> Sha256(const model::MappedFile& file);

}  // namespace deberta::server

#endif  // SERVER_MODELS_FILE_DIGEST_H_
