// A stretch of time that a trace is made of.

#ifndef SERVER_TRACING_SPAN_H_
#define SERVER_TRACING_SPAN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"

namespace deberta::server {

struct SpanAttribute {
  std::string_view name;  // of a literal
  std::variant<std::string, int64_t> value;
};

struct Span {
  std::string trace_id = {};   // 32 lower-case hex digits
  std::string span_id = {};    // 16
  std::string parent_id = {};  // "": the trace begins here
  std::string_view name = {};  // of a literal
  bool server = false;         // answers a call; else a part of what does
  // By the wall clock.
  absl::Time start = {};
  absl::Time end = {};
  std::vector<SpanAttribute> attributes = {};
  std::string error = {};  // the reason, where the server is at fault; else ""
};

// Random ones, from any thread.
std::string NewTraceId();
std::string NewSpanId();

}  // namespace deberta::server

#endif  // SERVER_TRACING_SPAN_H_
