#include "server/model_host.h"

#include <memory>
#include <utility>

#include "server/models/load_model.h"
#include "server/prove.h"

namespace deberta::server {

ModelHost::ModelHost(const Options& options, Engine* engine, Metrics* metrics,
                     Listener* listener, Log* log)
    : options_(options),
      engine_(engine),
      metrics_(metrics),
      listener_(listener),
      log_(log) {
  for (const auto& model : engine->catalog()->models()) {
    metrics_->AddModel(model->number, model->description);
    fixed_.insert(model->description.name);
  }
}

bool ModelHost::IsFixed(const std::string& model) const {
  return fixed_.contains(model);
}

absl::Status ModelHost::Load(const std::string& model, int64_t version,
                             const std::string& directory,
                             const std::function<absl::Status()>& check) {
  const ModelSource source = {.name = model, .directory = directory};
  LoadOptions loading = options_.loading;
  {
    MutexLock lock(&mutex_);
    if (state_ != State::kStarting) {
      loading.threads = 1;
      loading.precision.threads = 1;
      loading.memory_bytes = model_bytes_;
    }
  }
  const auto load = [&]() -> absl::Status {
    absl::StatusOr<ServedModel> loaded = LoadModel(source, loading, log_);
    if (!loaded.ok()) return loaded.status();
    loaded->description.version = version;
    std::shared_ptr<const ServedModel> hosted =
        engine_->Host(*std::move(loaded));
    absl::Status proven =
        Prove(*hosted, engine_->scheduler(), options_.max_call_time);
    if (!proven.ok()) return InModel(source, proven);
    if (absl::Status s = check(); !s.ok()) return s;
    Serve(std::move(hosted));
    return absl::OkStatus();
  };
  absl::Status status = load();
  metrics_->RecordLoad(model, status.ok());
  if (status.ok()) {
    log_->Info("model served", {{"model", model}, {"version", version}});
  }
  return status;
}

void ModelHost::Serve(std::shared_ptr<const ServedModel> model) {
  metrics_->AddModel(model->number, model->description);
  engine_->Serve(std::move(model));
  MutexLock lock(&mutex_);
  TellHealth();
}

void ModelHost::Remove(const std::string& model) {
  const std::shared_ptr<const Catalog> before = engine_->catalog();
  engine_->Remove(model);
  for (const auto& served : before->models()) {
    if (served->description.name == model)
      metrics_->RemoveModel(served->number);
  }
  MutexLock lock(&mutex_);
  listener_->SetModelServing(model, false);
  TellHealth();
}

void ModelHost::StartServing(std::optional<size_t> model_bytes) {
  MutexLock lock(&mutex_);
  model_bytes_ = model_bytes;
  state_ = State::kServing;
  TellHealth();
}

void ModelHost::StopServing() {
  MutexLock lock(&mutex_);
  state_ = State::kStopped;
  TellHealth();
}

void ModelHost::TellHealth() {
  if (state_ == State::kStarting) return;
  const bool serving = state_ == State::kServing;
  const std::shared_ptr<const Catalog> now = engine_->catalog();
  for (const auto& model : now->models())
    listener_->SetModelServing(model->description.name, serving);
  listener_->SetServing(serving && !now->models().empty());
}

}  // namespace deberta::server
