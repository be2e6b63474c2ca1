#include "server/tracing/span.h"

#include <cstdint>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"

namespace deberta::server {

// A valid identifier is not all 0.
std::string NewSpanId() {
  thread_local absl::InsecureBitGen random;
  return absl::StrCat(absl::Hex(
      absl::Uniform<uint64_t>(absl::IntervalClosed, random, 1, UINT64_MAX),
      absl::kZeroPad16));
}

std::string NewTraceId() { return NewSpanId() + NewSpanId(); }

}  // namespace deberta::server
