#include "server/call_tracer.h"

#include <utility>

#include "absl/memory/memory.h"
#include "server/call_spans.h"
#include "server/tracing/http_sender.h"

namespace deberta::server {
namespace {

// How long the collector has to answer.
constexpr absl::Duration kCollectorTime = absl::Seconds(2);

}  // namespace

absl::StatusOr<std::unique_ptr<CallTracer>> CallTracer::Start(
    const Options& options, Log* log) {
  if (options.url.empty()) return absl::WrapUnique(new CallTracer(0, nullptr));
  auto sender = HttpSender::Create(options.url, kCollectorTime);
  if (!sender.ok()) return sender.status();
  SpanExporter::Options exporting;
  exporting.version = options.version;
  exporting.on_change = [log](const absl::Status& status) {
    if (status.ok()) return log->Info("spans are exported again");
    log->Warning("spans are dropped",
                 {{"error", std::string(status.message())}});
  };
  return absl::WrapUnique(new CallTracer(
      options.share, std::make_unique<SpanExporter>(std::move(exporting),
                                                    *std::move(sender))));
}

CallTracer::CallTracer(double share, std::unique_ptr<SpanExporter> exporter)
    : untraced_(share), exporter_(std::move(exporter)) {}

void CallTracer::Record(const RequestReport& report) {
  if (exporter_ == nullptr) return;
  const bool taken =
      report.trace.has_value() ? report.trace->sampled : untraced_.Take();
  if (taken) exporter_->Add(SpansOf(report));
}

}  // namespace deberta::server
