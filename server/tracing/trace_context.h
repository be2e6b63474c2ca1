// Which trace a call belongs to, as its caller says: the header "traceparent"
// of W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header

#ifndef SERVER_TRACING_TRACE_CONTEXT_H_
#define SERVER_TRACING_TRACE_CONTEXT_H_

#include <optional>
#include <string>
#include <string_view>

namespace deberta::server {

inline constexpr char kTraceParentMetadata[] = "traceparent";

struct TraceContext {
  std::string trace_id;   // 32 lower-case hex digits, not all 0
  std::string parent_id;  // 16, the caller's span
  bool sampled = false;   // whether the caller records it

  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

// None for what is no traceparent; a call is served all the same. Of versions
// after 00 what they have in common with it is read.
std::optional<TraceContext> ParseTraceParent(std::string_view header);

}  // namespace deberta::server

#endif  // SERVER_TRACING_TRACE_CONTEXT_H_
