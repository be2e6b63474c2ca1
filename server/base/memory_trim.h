// Gives memory that is free back to the system, now and then.
//
// The allocator keeps what many small blocks have held, in each thread's arena,
// however long ago that was.

#ifndef SERVER_BASE_MEMORY_TRIM_H_
#define SERVER_BASE_MEMORY_TRIM_H_

#include "absl/time/time.h"
#include "server/base/periodic_thread.h"

namespace deberta::server {

// Looks every few seconds whether the process holds more than it once did.
class MemoryTrim {
 public:
  explicit MemoryTrim(absl::Duration interval = absl::Seconds(5));

 private:
  PeriodicThread thread_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_MEMORY_TRIM_H_
