#include "server/tracing/trace_context.h"

#include <algorithm>
#include <cstddef>

namespace deberta::server {
namespace {

// VERSION-TRACE-PARENT-FLAGS, of 2, 32, 16 and 2 digits.
constexpr size_t kTraceAt = 3;
constexpr size_t kParentAt = kTraceAt + 32 + 1;
constexpr size_t kFlagsAt = kParentAt + 16 + 1;
constexpr size_t kBytes = kFlagsAt + 2;

bool IsLowerHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), IsLowerHex);
}

bool IsId(std::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

std::optional<TraceContext> ParseTraceParent(std::string_view header) {
  if (header.size() < kBytes) return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  const std::string_view trace = header.substr(kTraceAt, 32);
  const std::string_view parent = header.substr(kParentAt, 16);
  const std::string_view flags = header.substr(kFlagsAt, 2);
  if (!IsHex(version) || version == "ff" || !IsId(trace) || !IsId(parent) ||
      !IsHex(flags)) {
    return std::nullopt;
  }
  for (const size_t dash : {kTraceAt - 1, kParentAt - 1, kFlagsAt - 1}) {
    if (header[dash] != '-') return std::nullopt;
  }
  // Later versions may append fields.
  if (header.size() > kBytes && (version == "00" || header[kBytes] != '-'))
    return std::nullopt;
  // An odd last digit of the flags has the bit "sampled".
  const char last = flags[1];
  const int digit = last <= '9' ? last - '0' : last - 'a' + 10;
  return TraceContext{.trace_id = std::string(trace),
                      .parent_id = std::string(parent),
                      .sampled = digit % 2 == 1};
}

}  // namespace deberta::server
