// What the process itself uses, for Prometheus.

#ifndef SERVER_PROCESS_COLLECTOR_H_
#define SERVER_PROCESS_COLLECTOR_H_

#include <prometheus/collectable.h>

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace deberta::server {

class ProcessCollector : public prometheus::Collectable {
 public:
  explicit ProcessCollector(std::function<size_t()> inflight)
      : inflight_(std::move(inflight)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const std::function<size_t()> inflight_;
};

}  // namespace deberta::server

#endif  // SERVER_PROCESS_COLLECTOR_H_
