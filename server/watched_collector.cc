#include "server/watched_collector.h"

#include <utility>

namespace deberta::server {

void WatchedCollector::Add(std::string name, std::string help,
                           prometheus::MetricType type,
                           std::function<double()> value) {
  const MutexLock lock(&mutex_);
  watched_.push_back(
      {std::move(name), std::move(help), type, std::move(value)});
}

std::vector<prometheus::MetricFamily> WatchedCollector::Collect() const {
  const MutexLock lock(&mutex_);
  std::vector<prometheus::MetricFamily> families;
  for (const Watched& watched : watched_) {
    prometheus::MetricFamily family = {
        watched.name, watched.help, watched.type, {{}}};
    const double value = watched.value();
    family.metric[0].counter.value = value;
    family.metric[0].gauge.value = value;
    families.push_back(std::move(family));
  }
  return families;
}

}  // namespace deberta::server
