// What takes spans to a collector.

#ifndef SERVER_TRACING_SPAN_SENDER_H_
#define SERVER_TRACING_SPAN_SENDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace deberta::server {

class SpanSender {
 public:
  virtual ~SpanSender() = default;
  // Whether the collector took the body. Returns within a time of its own. Of
  // one thread.
  virtual absl::Status Send(const std::string& body) = 0;
  // Send(), also one that runs, returns by then. From any thread.
  virtual void StopBy(absl::Time steady_time) = 0;
};

}  // namespace deberta::server

#endif  // SERVER_TRACING_SPAN_SENDER_H_
