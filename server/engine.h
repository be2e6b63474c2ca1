// The loaded models and the threads that compute them.

#ifndef SERVER_ENGINE_H_
#define SERVER_ENGINE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/log.h"
#include "server/batching/scheduler.h"
#include "server/models/catalog.h"
#include "server/options.h"

namespace deberta::server {

class Engine {
 public:
  // Loads every model of `options`, in order, starts the threads, and measures
  // what sequences cost. `log`
  // outlives the call, `observer` is called as Scheduler says, with the model
  // in place of the queue.
  static absl::StatusOr<std::unique_ptr<Engine>> Load(
      const Options& options, Scheduler::BatchObserver observer, Log* log);
  // Drains without waiting for queued work.
  ~Engine();

  const Catalog& catalog() const { return catalog_; }
  Scheduler& scheduler() { return *scheduler_; }
  // What waits for a model, in whichever precision.
  size_t queued_tokens(size_t model) const;
  double queued_seconds(size_t model) const;

 private:
  Engine(const Options& options, std::vector<ServedModel> models,
         Scheduler::BatchObserver observer);

  // What each queue's work costs; its batches are nobody's, and not observed.
  void Measure();

  const Catalog catalog_;
  std::atomic<bool> measured_ = false;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace deberta::server

#endif  // SERVER_ENGINE_H_
