#include "server/engine.h"

#include <utility>

#include "server/batching/measure_cost.h"
#include "server/models/load_model.h"

namespace deberta::server {

absl::StatusOr<std::unique_ptr<Engine>> Engine::Load(
    const Options& options, Scheduler::BatchObserver observer, Log* log) {
  std::vector<ServedModel> models;
  for (const ModelSource& source : options.models) {
    absl::StatusOr<ServedModel> model = LoadModel(source, options.loading, log);
    if (!model.ok()) return model.status();
    models.push_back(*std::move(model));
  }
  std::unique_ptr<Engine> engine(
      new Engine(options, std::move(models), std::move(observer)));
  engine->Measure();
  return engine;
}

Engine::Engine(const Options& options, std::vector<ServedModel> models,
               Scheduler::BatchObserver observer)
    : catalog_(std::move(models)) {
  scheduler_ = std::make_unique<Scheduler>(
      Scheduler::Options{.threads = options.threads,
                         .max_batches = options.workers,
                         .max_threads_per_batch = options.threads_per_worker,
                         .max_batch_tokens = options.max_batch_tokens,
                         .max_batch_wait = options.max_batch_wait,
                         .max_queue_tokens = options.max_queue_tokens},
      catalog_.queues(),
      [this](size_t queue, const model::RaggedBatch& batch,
             const model::ForwardOptions& forward, model::Workspace& workspace,
             model::BatchOutput* output) {
        return catalog_.NetworkOfQueue(queue).Forward(batch, workspace, output,
                                                      forward);
      },
      [this, observer = std::move(observer)](Scheduler::BatchReport report) {
        if (!measured_) return;
        report.queue = catalog_.ModelOfQueue(report.queue);
        observer(report);
      });
}

void Engine::Measure() {
  for (size_t queue = 0; queue < catalog_.queues(); ++queue) {
    const ServedModel& model = catalog_.models()[catalog_.ModelOfQueue(queue)];
    scheduler_->SetCostModel(
        queue, MeasureCost(*scheduler_, queue, model.task_model.max_tokens));
  }
  measured_ = true;
}

size_t Engine::queued_tokens(size_t model) const {
  size_t tokens = 0;
  for (size_t i = 0; i < catalog_.queues(); ++i) {
    if (catalog_.ModelOfQueue(i) == model)
      tokens += scheduler_->queued_tokens(i);
  }
  return tokens;
}

double Engine::queued_seconds(size_t model) const {
  double seconds = 0;
  for (size_t i = 0; i < catalog_.queues(); ++i) {
    if (catalog_.ModelOfQueue(i) == model)
      seconds += scheduler_->queued_seconds(i);
  }
  return seconds;
}

Engine::~Engine() { scheduler_->Drain(absl::InfinitePast()); }

}  // namespace deberta::server
