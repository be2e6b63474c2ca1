// The token by which a caller shows who it is.

#ifndef TOOLS_CLIENT_TOKEN_H_
#define TOOLS_CLIENT_TOKEN_H_

#include <istream>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace deberta::tools {

// What the stream holds, without the newline at its end. InvalidArgument, which
// does not quote it, if it is empty or not of printable ASCII alone.
absl::StatusOr<std::string> TokenOf(std::istream& stream);

// Of the file `path`, or of DEBERTA_TOKEN if that is ""; "" without either.
absl::StatusOr<std::string> ReadToken(const std::string& path);

// Its SHA-256 in hex, as the server's --tokens_file has it.
std::string TokenSha256(std::string_view token);

}  // namespace deberta::tools

#endif  // TOOLS_CLIENT_TOKEN_H_
