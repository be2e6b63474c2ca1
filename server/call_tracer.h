// Which calls are traced, and where their spans go.

#ifndef SERVER_CALL_TRACER_H_
#define SERVER_CALL_TRACER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/base/log.h"
#include "server/base/sampler.h"
#include "server/rpc/request_report.h"
#include "server/tracing/span_exporter.h"

namespace deberta::server {

// Thread-safe; Record() never waits.
class CallTracer {
 public:
  struct Options {
    std::string url = {};  // of the collector; "": nothing is traced
    double share = 0;      // of calls without a traceparent
    std::string version = {};
  };

  // The log, which outlives it, hears when the collector fails.
  static absl::StatusOr<std::unique_ptr<CallTracer>> Start(
      const Options& options, Log* log);

  // Exports the call's spans if its traceparent is sampled, or if it has none
  // and is among the share.
  void Record(const RequestReport& report);

  // Spans so far.
  size_t exported() const { return exporter_ ? exporter_->exported() : 0; }
  size_t dropped() const { return exporter_ ? exporter_->dropped() : 0; }

 private:
  CallTracer(double share, std::unique_ptr<SpanExporter> exporter);

  Sampler untraced_;
  const std::unique_ptr<SpanExporter> exporter_;
};

}  // namespace deberta::server

#endif  // SERVER_CALL_TRACER_H_
