// Spans on their way to a collector, in OTLP's JSON.
//
// Who adds them never waits: they go into a bounded buffer, which a thread of
// its own empties. What finds no room there, or is not taken by the collector,
// is dropped and counted.

#ifndef SERVER_TRACING_SPAN_EXPORTER_H_
#define SERVER_TRACING_SPAN_EXPORTER_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/tracing/span.h"
#include "server/tracing/span_sender.h"

namespace deberta::server {

class SpanExporter {
 public:
  struct Options {
    std::string version = {};  // of the service
    size_t buffer_spans = 2048;
    size_t batch_spans = 512;
    // The longest that a span waits for a batch to fill.
    absl::Duration interval = absl::Seconds(1);
    // What is left at the end has so long to leave.
    absl::Duration last_wait = absl::Seconds(1);
    // Called by the thread where sending begins to fail, and where it is OK
    // again.
    std::function<void(const absl::Status&)> on_change =
        [](const absl::Status&) {};
  };

  SpanExporter(Options options, std::unique_ptr<SpanSender> sender);
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  // Those of one call: all find room, or none.
  void Add(std::vector<Span> spans);

  size_t exported() const;
  size_t dropped() const;

 private:
  void Run();
  // Fills batch_ with the next to send; with none at the end.
  void NextBatch();

  const Options options_;
  const std::unique_ptr<SpanSender> sender_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Span> waiting_ ABSL_GUARDED_BY(mutex_);
  absl::Time oldest_ ABSL_GUARDED_BY(mutex_);  // of those: when it was added
  size_t exported_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Span> batch_;  // the thread's
  std::thread thread_;       // last: it uses the others
};

}  // namespace deberta::server

#endif  // SERVER_TRACING_SPAN_EXPORTER_H_
