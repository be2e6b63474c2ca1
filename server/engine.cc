#include "server/engine.h"

#include <cstddef>
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
                  {.load_threads = options.workers * options.threads_per_worker,
                   .precision = options.precision,
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

Engine::Engine(const Options& options, std::vector<LoadedModel> models,
               Scheduler::BatchObserver observer)
    : models_(std::move(models)), catalog_(ServedModels(models_)) {
  for (int i = 0; i < options.workers; ++i) {
    workspaces_.push_back(
        std::make_unique<model::Workspace>(options.threads_per_worker));
  }
  scheduler_ = std::make_unique<Scheduler>(
      Scheduler::Options{.workers = options.workers,
                         .max_batch_tokens = options.max_batch_tokens,
                         .max_batch_wait = options.max_batch_wait,
                         .max_queue_tokens = options.max_queue_tokens},
      models_.size(),
      [this](size_t queue, int worker, const model::RaggedBatch& batch,
             model::BatchOutput* output) {
        return models_[queue].model->Forward(
            batch, *workspaces_[static_cast<size_t>(worker)], output);
      },
      std::move(observer));
}

Engine::~Engine() { scheduler_->Drain(absl::InfinitePast()); }

}  // namespace deberta::server
