#include "server/call_log.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace deberta::server {
namespace {

// To the microsecond.
double Milliseconds(absl::Duration duration) {
  return static_cast<double>(absl::ToInt64Microseconds(duration)) / 1000;
}

}  // namespace

void LogCall(const RequestReport& report, Log* log) {
  const std::string code = absl::StatusCodeToString(report.code);
  std::vector<LogField> fields = {{"method", report.method},
                                  {"model", report.model_name},
                                  {"code", code},
                                  {"caller", report.caller},
                                  {"inputs", int64_t(report.inputs)},
                                  {"tokens", int64_t(report.tokens)},
                                  {"total_ms", Milliseconds(report.total)}};
  const auto add_time = [&](std::string_view name,
                            const std::optional<absl::Duration>& time) {
    if (time.has_value()) fields.push_back({name, Milliseconds(*time)});
  };
  add_time("tokenize_ms", report.tokenize);
  add_time("queue_ms", report.queue);
  add_time("compute_ms", report.compute);
  if (!report.reason.empty()) fields.push_back({"reason", report.reason});
  if (report.trace.has_value())
    fields.push_back({"trace_id", report.trace->trace_id});
  log->Info("call", fields);
}

}  // namespace deberta::server
