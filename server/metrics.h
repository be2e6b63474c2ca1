// The server's Prometheus metrics.
//
// With the collectors beside it the only file with prometheus-cpp. Thread-safe.
//
// Series of a model exist, at 0, from AddModel() on. Its counters and
// histograms stay when it is removed and go on when its name comes back;
// gauges are of what is served.

#ifndef SERVER_METRICS_H_
#define SERVER_METRICS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/models/model_description.h"
#include "server/net/connection_counts.h"
#include "server/rpc/request_report.h"

namespace deberta::server {

class Metrics {
 public:
  struct BuildInfo {
    std::string version;
    std::string onednn;
    std::string isa;
  };

  struct Backlog {
    size_t tokens = 0;
    double seconds = 0;
  };

  explicit Metrics(const BuildInfo& build);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `inflight` is asked at every scrape. To be called before the first.
  void WatchInflight(std::function<size_t()> inflight);
  // A counter or gauge "NAME" that is asked at every scrape from now on.
  void WatchCounter(std::string name, std::string help,
                    std::function<double()> count);
  void WatchGauge(std::string name, std::string help,
                  std::function<double()> value);

  // `counts`, which outlive this, are read at every scrape. To be called before
  // the first.
  void WatchConnections(const ConnectionCounts* counts);

  // `backlog` of each served model's number is asked at every scrape. To be
  // called before the first model is added.
  void WatchBacklog(std::function<Backlog(size_t number)> backlog);

  // A model is served from now on, in place of another of its name if there was
  // one. To be called before reports about it arrive.
  void AddModel(size_t number, const ModelDescription& model);
  void RemoveModel(size_t number);
  // An attempt to load the model `name` of the repository.
  void RecordLoad(const std::string& name, bool loaded);

  void RecordRequest(const RequestReport& report);
  void RecordBatch(size_t model, size_t sequences, size_t tokens);

  // What a scrape returns.
  std::string Text() const;

 private:
  struct Series;
  const std::unique_ptr<Series> series_;
};

}  // namespace deberta::server

#endif  // SERVER_METRICS_H_
