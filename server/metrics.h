// The server's Prometheus metrics.
//
// The only file with prometheus-cpp. Series of a model exist, at 0, from
// AddModels() on. Thread-safe, but for that one beside reports.

#ifndef SERVER_METRICS_H_
#define SERVER_METRICS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/models/served_model.h"
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

  // `counts`, which outlive this, are read at every scrape. To be called before
  // the first.
  void WatchConnections(const ConnectionCounts* counts);

  // `backlog` of a model is asked at every scrape. To be called once, before
  // reports about these models arrive.
  void AddModels(const std::vector<ServedModel>& models,
                 std::function<Backlog(size_t model)> backlog);

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
