// The models that are served and the threads that compute them.

#ifndef SERVER_ENGINE_H_
#define SERVER_ENGINE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/base/work_queue.h"
#include "server/batching/scheduler.h"
#include "server/models/catalog.h"
#include "server/options.h"

namespace deberta::server {

// Thread-safe, but for Serve() and Remove(): one thread at a time.
class Engine {
 public:
  // Starts the threads, without models. `observer` is called as Scheduler says,
  // with the number of the model's name in place of the queue.
  Engine(const Options& options, Scheduler::BatchObserver observer);
  // Drains without waiting for queued work. REQUIRES: nobody holds a model.
  ~Engine();

  // Starts an engine that serves every model of `options`, loaded in order.
  // `log` outlives the call.
  static absl::StatusOr<std::unique_ptr<Engine>> Load(
      const Options& options, Scheduler::BatchObserver observer, Log* log);

  // Gives the model its place, so that it can be asked, and measures what
  // sequences cost; calls do not find it yet. When nobody holds it any more,
  // its queues and its memory are free.
  std::shared_ptr<const ServedModel> Host(ServedModel model);
  // Calls that enter from now on find the hosted model, in place of the one of
  // its name if there is one.
  void Serve(std::shared_ptr<const ServedModel> model);
  // Calls that enter from now on find no model of that name.
  void Remove(std::string_view name);

  // The process may use so many CPUs from now on, a fraction possibly: as many
  // threads compute as use them all, where flags do not fix their number.
  void SetCpus(double cpus);
  double cpus() const;
  int threads() const;  // that compute

  std::shared_ptr<const Catalog> catalog() const { return catalog_.Get(); }
  const LiveCatalog& live_catalog() const { return catalog_; }
  Scheduler& scheduler() { return *scheduler_; }
  // What waits for the model that is served under a name, in whichever
  // precision; 0 if none is.
  size_t queued_tokens(size_t number) const;
  double queued_seconds(size_t number) const;

 private:
  // What a queue of the scheduler computes.
  struct Hosted {
    // Of jobs that wait or run the calls hold it.
    std::weak_ptr<const ServedModel> model;
    bool fp32 = false;
    size_t number = 0;
  };

  std::shared_ptr<const ServedModel> Place(ServedModel model);
  // What the work of its queues costs.
  void Measure(const ServedModel& model);
  size_t NumberOf(const std::string& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetQueue(size_t queue, Hosted hosted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Hosted HostedBy(size_t queue) const;
  absl::Status Run(size_t queue, const model::RaggedBatch& batch,
                   const model::ForwardOptions& options,
                   model::Workspace& workspace, model::BatchOutput* output);
  std::shared_ptr<const ServedModel> ServedUnder(size_t number) const;
  int ThreadsOf(double cpus) const;
  // Of a model that nobody holds.
  void Retire(const ServedModel* model);

  const bool threads_fixed_;
  const int started_threads_;
  const int most_threads_;
  mutable Mutex mutex_;
  double cpus_ ABSL_GUARDED_BY(mutex_);
  std::vector<Hosted> hosted_ ABSL_GUARDED_BY(mutex_);      // by queue
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);  // by number
  std::unique_ptr<Scheduler> scheduler_;
  // Frees models: hundreds of megabytes, which no call's thread should.
  WorkQueue reaper_{1};
  LiveCatalog catalog_;
};

}  // namespace deberta::server

#endif  // SERVER_ENGINE_H_
