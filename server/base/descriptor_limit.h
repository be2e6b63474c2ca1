// How many files and sockets the process may have open.

#ifndef SERVER_BASE_DESCRIPTOR_LIMIT_H_
#define SERVER_BASE_DESCRIPTOR_LIMIT_H_

#include <cstddef>

namespace deberta::server {

// Raises the limit to the most that it may be, and returns what it is then.
size_t RaiseDescriptorLimit();

}  // namespace deberta::server

#endif  // SERVER_BASE_DESCRIPTOR_LIMIT_H_
