// Counters and gauges that live elsewhere, for Prometheus.

#ifndef SERVER_WATCHED_COLLECTOR_H_
#define SERVER_WATCHED_COLLECTOR_H_

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace deberta::server {

// Thread-safe.
class WatchedCollector : public prometheus::Collectable {
 public:
  // `value` is asked at every scrape from now on.
  void Add(std::string name, std::string help, prometheus::MetricType type,
           std::function<double()> value);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  struct Watched {
    std::string name;
    std::string help;
    prometheus::MetricType type;
    std::function<double()> value;
  };

  mutable Mutex mutex_;
  std::vector<Watched> watched_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace deberta::server

#endif  // SERVER_WATCHED_COLLECTOR_H_
