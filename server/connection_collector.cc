#include "server/connection_collector.h"

#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace deberta::server {
namespace {

prometheus::ClientMetric Counted(std::string_view reason, int64_t count) {
  prometheus::ClientMetric metric;
  metric.label = {{"reason", std::string(reason)}};
  metric.counter.value = static_cast<double>(count);
  return metric;
}

}  // namespace

std::vector<prometheus::MetricFamily> ConnectionCollector::Collect() const {
  prometheus::MetricFamily open = {"deberta_connections",
                                   "Connections that are open.",
                                   prometheus::MetricType::Gauge,
                                   {{}}};
  open.metric[0].gauge.value = static_cast<double>(counts_.open);
  prometheus::MetricFamily closed = {"deberta_connections_closed_total",
                                     "Connections that have ended, by why.",
                                     prometheus::MetricType::Counter,
                                     {}};
  for (size_t i = 0; i < kCloseReasons; ++i) {
    closed.metric.push_back(Counted(
        CloseReasonName(static_cast<CloseReason>(i)), counts_.closed[i]));
  }
  prometheus::MetricFamily limited = {
      "deberta_calls_limited_total",
      "Calls that were ended by a limit of what a call may do to its "
      "connection.",
      prometheus::MetricType::Counter,
      {}};
  for (size_t i = 0; i < kCallLimits; ++i) {
    limited.metric.push_back(
        Counted(CallLimitName(static_cast<CallLimit>(i)), counts_.limited[i]));
  }
  return {open, closed, limited};
}

}  // namespace deberta::server
