#include "server/repository.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"
#include "server/base/thrown.h"

namespace deberta::server {

Repository::Repository(std::string directory, RepositoryHost* host, Log* log)
    : directory_(std::move(directory)), host_(host), log_(log) {}

Repository::~Repository() {
  Stop();
  if (thread_.joinable()) thread_.join();
}

absl::Status Repository::Look(bool settled) {
  absl::StatusOr<RepositoryListing> listing = ListRepository(directory_);
  if (!listing.ok()) return listing.status();
  WarnOfUnusable(*listing);
  std::erase_if(listing->models, [this](const auto& model) {
    return host_->IsFixed(model.first);
  });
  state_.Look(*std::move(listing), settled);
  RemoveGone();
  LoadAll();
  return absl::OkStatus();
}

void Repository::WarnOfUnusable(const RepositoryListing& listing) {
  for (const std::string& name : listing.unusable) {
    if (!warned_.insert(name).second) continue;
    log_->Warning("a directory of the repository is no model",
                  {{"directory", name},
                   {"error",
                    "expected a name of 1 to 64 letters, digits, '.', '_' or "
                    "'-', and files of one model or of its versions"}});
  }
  for (const auto& [name, versions] : listing.models) {
    if (!host_->IsFixed(name) || !warned_.insert(name).second) continue;
    log_->Warning(
        "a directory of the repository is not served",
        {{"model", name}, {"error", "--models has another of that name"}});
  }
}

void Repository::RemoveGone() {
  for (const std::string& model : state_.Gone()) {
    host_->Remove(model);
    state_.Removed(model);
    log_->Info("model removed", {{"model", model}});
  }
}

void Repository::LoadAll() {
  while (const std::optional<ModelVersion> wanted = state_.Next()) {
    const absl::Status status = Guarded([&] { return LoadOne(*wanted); });
    if (stopping()) return;
    if (status.ok()) {
      state_.Loaded(*wanted);
    } else {
      state_.Failed(*wanted);
      log_->Error("a model of the repository was not loaded",
                  {{"model", wanted->model},
                   {"version", wanted->version},
                   {"error", std::string(status.message())}});
    }
  }
}

absl::Status Repository::LoadOne(const ModelVersion& wanted) {
  const std::string directory =
      VersionDirectory(directory_, wanted.model, wanted.version);
  return host_->Load(wanted.model, wanted.version, directory, [&] {
    const absl::StatusOr<DirectoryStamp> now = StampDirectory(directory);
    if (now.ok() && *now == wanted.stamp) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat("model ", wanted.model, " (", directory,
                     "): was changed while it was loaded"));
  });
}

void Repository::Start(absl::Duration period) {
  thread_ = std::thread([this, period] { RunThread(period); });
}

void Repository::Reload() {
  MutexLock lock(&mutex_);
  reload_ = true;
  changed_.SignalAll();
}

bool Repository::Stop() {
  MutexLock lock(&mutex_);
  stopping_ = true;
  changed_.SignalAll();
  return !busy_;
}

bool Repository::stopping() const {
  MutexLock lock(&mutex_);
  return stopping_;
}

void Repository::RunThread(absl::Duration period) {
  absl::Time next = SteadyNow() + period;
  while (true) {
    bool settled = false;
    {
      MutexLock lock(&mutex_);
      busy_ = false;
      while (!stopping_ && !reload_ && SteadyNow() < next)
        changed_.WaitFor(&mutex_, next - SteadyNow());
      if (stopping_) return;
      settled = std::exchange(reload_, false);
      busy_ = true;
    }
    LogFailure(Guarded([&] { return Look(settled); }));
    next = SteadyNow() + period;
  }
}

void Repository::LogFailure(const absl::Status& status) {
  const std::string message(status.message());
  if (!status.ok() && message != last_failure_) {
    log_->Error("the model repository cannot be read; models stay as they are",
                {{"error", message}});
  }
  last_failure_ = message;
}

}  // namespace deberta::server
