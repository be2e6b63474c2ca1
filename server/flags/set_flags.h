// The server's flags, set as its start says.

#ifndef SERVER_FLAGS_SET_FLAGS_H_
#define SERVER_FLAGS_SET_FLAGS_H_

#include "absl/status/status.h"

namespace deberta::server {

// Sets the flags from the environment (DEBERTA_<NAME>, empty counts as unset)
// and then from the command line, --name=value or --name value. InvalidArgument
// names what is unknown or cannot be read.
absl::Status SetFlags(int argc, char** argv);

}  // namespace deberta::server

#endif  // SERVER_FLAGS_SET_FLAGS_H_
