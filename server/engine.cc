#include "server/engine.h"

#include <utility>

namespace deberta::server {
namespace {

std::vector<ServedModel> ServedModels(const std::vector<LoadedModel>& models) {
  std::vector<ServedModel> served;
  for (const LoadedModel& model : models) served.push_back(model.served);
  return served;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Load(
    const Options& options, Scheduler::BatchObserver observer, Log* log) {
  std::vector<LoadedModel> models;
  for (const ModelSource& source : options.models) {
    absl::StatusOr<LoadedModel> model =
        LoadModel(source,
                  {.load_threads = options.threads,
                   .precision = {.wanted = options.precision,
                                 .thresholds = options.agreement_thresholds,
                                 .keep_fp32 = options.keep_fp32,
                                 .threads = options.threads_per_worker},
                   .products = options.products,
                   .tokenizer_profile = options.tokenizer_profile,
                   .allowed_weights = options.allowed_weights,
                   .hdf5_reader = options.hdf5_reader},
                  log);
    if (!model.ok()) return model.status();
    models.push_back(*std::move(model));
  }
  return std::unique_ptr<Engine>(
      new Engine(options, std::move(models), std::move(observer)));
}

std::vector<Engine::Queue> Engine::MakeQueues(
    std::vector<LoadedModel>* models) {
  std::vector<Queue> queues;
  for (size_t i = 0; i < models->size(); ++i) {
    queues.push_back(
        {.model = i, .network = (*models)[i].networks.served.get()});
  }
  for (size_t i = 0; i < models->size(); ++i) {
    LoadedModel& model = (*models)[i];
    if (model.networks.fp32 == nullptr) continue;
    model.served.fp32_queue = queues.size();
    queues.push_back({.model = i, .network = model.networks.fp32.get()});
  }
  return queues;
}

Engine::Engine(const Options& options, std::vector<LoadedModel> models,
               Scheduler::BatchObserver observer)
    : models_(std::move(models)),
      queues_(MakeQueues(&models_)),
      catalog_(ServedModels(models_)) {
  scheduler_ = std::make_unique<Scheduler>(
      Scheduler::Options{.threads = options.threads,
                         .max_batches = options.workers,
                         .max_threads_per_batch = options.threads_per_worker,
                         .max_batch_tokens = options.max_batch_tokens,
                         .max_batch_wait = options.max_batch_wait,
                         .max_queue_tokens = options.max_queue_tokens},
      queues_.size(),
      [this](size_t queue, const model::RaggedBatch& batch,
             const model::ForwardOptions& forward, model::Workspace& workspace,
             model::BatchOutput* output) {
        return queues_[queue].network->Forward(batch, workspace, output,
                                               forward);
      },
      [this, observer = std::move(observer)](Scheduler::BatchReport report) {
        report.queue = queues_[report.queue].model;
        observer(report);
      });
}

size_t Engine::queued_tokens(size_t model) const {
  size_t tokens = 0;
  for (size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i].model == model) tokens += scheduler_->queued_tokens(i);
  }
  return tokens;
}

double Engine::queued_seconds(size_t model) const {
  double seconds = 0;
  for (size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i].model == model) seconds += scheduler_->queued_seconds(i);
  }
  return seconds;
}

Engine::~Engine() { scheduler_->Drain(absl::InfinitePast()); }

}  // namespace deberta::server
