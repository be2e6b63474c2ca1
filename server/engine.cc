#include "server/engine.h"

#include <malloc.h>

#include <algorithm>
#include <utility>

#include "server/base/cgroup_limits.h"
#include "server/batching/measure_cost.h"
#include "server/models/load_model.h"
#include "server/prove.h"

namespace deberta::server {

absl::StatusOr<std::unique_ptr<Engine>> Engine::Load(
    const Options& options, Scheduler::BatchObserver observer, Log* log) {
  auto engine = std::make_unique<Engine>(options, std::move(observer));
  for (const ModelSource& source : options.models) {
    absl::StatusOr<ServedModel> loaded =
        LoadModel(source, options.loading, log);
    if (!loaded.ok()) return loaded.status();
    std::shared_ptr<const ServedModel> model = engine->Host(*std::move(loaded));
    absl::Status proven =
        Prove(*model, engine->scheduler(), options.max_call_time);
    if (!proven.ok()) return InModel(source, proven);
    engine->Serve(std::move(model));
  }
  return engine;
}

Engine::Engine(const Options& options, Scheduler::BatchObserver observer)
    : threads_fixed_(options.threads_fixed),
      started_threads_(options.threads),
      most_threads_(options.most_threads),
      cpus_(options.cpus) {
  scheduler_ = std::make_unique<Scheduler>(
      Scheduler::Options{.threads = options.threads,
                         .most_threads = options.most_threads,
                         .max_batches = options.workers,
                         .max_threads_per_batch = options.threads_per_worker,
                         .max_batch_tokens = options.max_batch_tokens,
                         .max_batch_wait = options.max_batch_wait,
                         .max_queue_tokens = options.max_queue_tokens},
      /*queues=*/0,
      [this](size_t queue, const model::RaggedBatch& batch,
             const model::ForwardOptions& forward, model::Workspace& workspace,
             model::BatchOutput* output) {
        return Run(queue, batch, forward, workspace, output);
      },
      [this, observer = std::move(observer)](Scheduler::BatchReport report) {
        report.queue = HostedBy(report.queue).number;
        observer(report);
      });
}

void Engine::SetCpus(double cpus) {
  double before = 0;
  {
    MutexLock lock(&mutex_);
    before = std::exchange(cpus_, cpus);
  }
  scheduler_->SetMachine(ThreadsOf(cpus), before / cpus);
}

double Engine::cpus() const {
  MutexLock lock(&mutex_);
  return cpus_;
}

int Engine::threads() const { return ThreadsOf(cpus()); }

int Engine::ThreadsOf(double cpus) const {
  if (threads_fixed_) return started_threads_;
  return std::min(ThreadsFor(cpus), most_threads_);
}

Engine::~Engine() { scheduler_->Drain(absl::InfinitePast()); }

std::shared_ptr<const ServedModel> Engine::Host(ServedModel model) {
  std::shared_ptr<const ServedModel> hosted = Place(std::move(model));
  Measure(*hosted);
  return hosted;
}

std::shared_ptr<const ServedModel> Engine::Place(ServedModel model) {
  model.queue = scheduler_->AddQueue();
  if (model.fp32_network != nullptr) model.fp32_queue = scheduler_->AddQueue();
  MutexLock lock(&mutex_);
  model.number = NumberOf(model.description.name);
  std::shared_ptr<const ServedModel> hosted(
      new ServedModel(std::move(model)),
      [this](const ServedModel* nobodys) { Retire(nobodys); });
  SetQueue(hosted->queue, {.model = hosted, .number = hosted->number});
  if (hosted->fp32_queue.has_value()) {
    SetQueue(*hosted->fp32_queue,
             {.model = hosted, .fp32 = true, .number = hosted->number});
  }
  return hosted;
}

void Engine::Measure(const ServedModel& model) {
  // What is measured is too short to be throttled, but what follows is not.
  const double throttled = ThreadsFor(cpus()) / cpus();
  const auto measure = [&](size_t queue) {
    CostModel cost =
        MeasureCost(*scheduler_, queue, model.task_model.max_tokens);
    cost.Slow(throttled);
    scheduler_->SetCostModel(queue, cost);
  };
  measure(model.queue);
  if (model.fp32_queue.has_value()) measure(*model.fp32_queue);
}

size_t Engine::NumberOf(const std::string& name) {
  const auto found = std::ranges::find(names_, name);
  const auto number = static_cast<size_t>(found - names_.begin());
  if (found == names_.end()) names_.push_back(name);
  return number;
}

void Engine::SetQueue(size_t queue, Hosted hosted) {
  if (hosted_.size() <= queue) hosted_.resize(queue + 1);
  hosted_[queue] = std::move(hosted);
}

void Engine::Serve(std::shared_ptr<const ServedModel> model) {
  ServedModels models = catalog()->models();
  const auto same = std::ranges::find(
      models, model->number, [](const auto& served) { return served->number; });
  if (same == models.end()) {
    models.push_back(std::move(model));
  } else {
    *same = std::move(model);
  }
  catalog_.Set(std::make_shared<const Catalog>(std::move(models)));
}

void Engine::Remove(std::string_view name) {
  ServedModels models = catalog()->models();
  std::erase_if(models, [&](const auto& served) {
    return served->description.name == name;
  });
  catalog_.Set(std::make_shared<const Catalog>(std::move(models)));
}

void Engine::Retire(const ServedModel* model) {
  scheduler_->RemoveQueue(model->queue);
  if (model->fp32_queue.has_value())
    scheduler_->RemoveQueue(*model->fp32_queue);
  try {
    reaper_.Add("", [model] {
      delete model;
      // Else the heap would go on holding it.
      malloc_trim(0);
    });
  } catch (...) {
    delete model;
  }
}

Engine::Hosted Engine::HostedBy(size_t queue) const {
  MutexLock lock(&mutex_);
  return hosted_[queue];
}

absl::Status Engine::Run(size_t queue, const model::RaggedBatch& batch,
                         const model::ForwardOptions& options,
                         model::Workspace& workspace,
                         model::BatchOutput* output) {
  const Hosted hosted = HostedBy(queue);
  const std::shared_ptr<const ServedModel> model = hosted.model.lock();
  if (model == nullptr)
    return absl::InternalError("a batch of a model that nobody holds");
  const model::Model& network =
      hosted.fp32 ? *model->fp32_network : *model->network;
  return network.Forward(batch, workspace, output, options);
}

std::shared_ptr<const ServedModel> Engine::ServedUnder(size_t number) const {
  const std::shared_ptr<const Catalog> now = catalog();
  for (const auto& model : now->models()) {
    if (model->number == number) return model;
  }
  return nullptr;
}

size_t Engine::queued_tokens(size_t number) const {
  const std::shared_ptr<const ServedModel> model = ServedUnder(number);
  if (model == nullptr) return 0;
  return scheduler_->queued_tokens(model->queue) +
         (model->fp32_queue.has_value()
              ? scheduler_->queued_tokens(*model->fp32_queue)
              : 0);
}

double Engine::queued_seconds(size_t number) const {
  const std::shared_ptr<const ServedModel> model = ServedUnder(number);
  if (model == nullptr) return 0;
  return scheduler_->queued_seconds(model->queue) +
         (model->fp32_queue.has_value()
              ? scheduler_->queued_seconds(*model->fp32_queue)
              : 0);
}

}  // namespace deberta::server
