// What happens to connections, for Prometheus.

#ifndef SERVER_CONNECTION_COLLECTOR_H_
#define SERVER_CONNECTION_COLLECTOR_H_

#include <prometheus/collectable.h>

#include <vector>

#include "server/net/connection_counts.h"

namespace deberta::server {

class ConnectionCollector : public prometheus::Collectable {
 public:
  // `counts` outlives this.
  explicit ConnectionCollector(const ConnectionCounts* counts)
      : counts_(*counts) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const ConnectionCounts& counts_;
};

}  // namespace deberta::server

#endif  // SERVER_CONNECTION_COLLECTOR_H_
