// Physical memory that the process holds, as the kernel tells.

#ifndef SERVER_BASE_RESIDENT_MEMORY_H_
#define SERVER_BASE_RESIDENT_MEMORY_H_

#include <cstddef>

namespace deberta::server {

size_t ResidentBytes();   // mapped files included
size_t AnonymousBytes();  // without them

}  // namespace deberta::server

#endif  // SERVER_BASE_RESIDENT_MEMORY_H_
