#include "server/call_spans.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace deberta::server {
namespace {

// Whether OpenTelemetry's conventions for gRPC servers count it as the
// server's error.
bool IsServersError(absl::StatusCode code) {
  return code == absl::StatusCode::kDeadlineExceeded ||
         code == absl::StatusCode::kInternal ||
         code == absl::StatusCode::kUnavailable;
}

Span CallSpan(const RequestReport& report) {
  Span span = {
      .trace_id = report.trace ? report.trace->trace_id : NewTraceId(),
      .span_id = NewSpanId(),
      .parent_id = report.trace ? report.trace->parent_id : "",
      .name = report.method,
      .server = true,
      .start = report.start,
      .end = report.start + std::max(report.total, absl::ZeroDuration())};
  span.attributes = {
      {"rpc.system", "grpc"},
      {"rpc.service", "deberta.v1.DebertaService"},
      {"rpc.grpc.status_code", static_cast<int64_t>(report.code)},
      {"deberta.model", report.model_name},
      {"deberta.inputs", static_cast<int64_t>(report.inputs)},
      {"deberta.tokens", static_cast<int64_t>(report.tokens)}};
  if (!report.reason.empty())
    span.attributes.push_back({"error.type", report.reason});
  if (IsServersError(report.code)) span.error = report.reason;
  return span;
}

}  // namespace

std::vector<Span> SpansOf(const RequestReport& report) {
  std::vector<Span> spans = {CallSpan(report)};
  absl::Time at = spans[0].start + report.until_tokenize;
  const auto add = [&](std::string_view name,
                       std::optional<absl::Duration> time) {
    if (!time.has_value()) return;
    const Span& call = spans[0];
    Span part = {.trace_id = call.trace_id,
                 .span_id = NewSpanId(),
                 .parent_id = call.span_id,
                 .name = name,
                 .start = std::min(at, call.end),
                 .end = std::min(at + *time, call.end)};
    at = part.end;
    spans.push_back(std::move(part));
  };
  add("tokenize", report.tokenize);
  add("queue", report.queue);
  add("compute", report.compute);
  return spans;
}

}  // namespace deberta::server
