#include "server/models/catalog.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/error_reason.h"

namespace deberta::server {
namespace {

std::string Names(const ServedModels& models, std::span<const size_t> indices) {
  return absl::StrJoin(indices, ", ", [&](std::string* out, size_t index) {
    out->append(models[index]->description.name);
  });
}

absl::Status Ambiguous(const ServedModels& models,
                       std::span<const size_t> indices) {
  return WithReason(
      InputError("model", absl::StrCat("no model named, and several would do: ",
                                       Names(models, indices))),
      "MODEL_AMBIGUOUS");
}

std::string TaskNames(const ModelDescription& model) {
  return absl::StrJoin(model.tasks, ", ", [](std::string* out, TaskKind kind) {
    out->append(TaskName(kind));
  });
}

// A model asked for a task that it does not have.
absl::Status NoSuchTask(const ModelDescription& model, TaskKind task) {
  const auto refusal = model.refusals.find(task);
  return absl::FailedPreconditionError(absl::StrCat(
      "model ", model.name, " has no head for ", std::string(TaskName(task)),
      refusal == model.refusals.end() ? "" : ": " + refusal->second,
      "; it does ", TaskNames(model)));
}

}  // namespace

absl::StatusOr<size_t> Catalog::Find(std::string_view name) const {
  if (!name.empty()) return FindByName(name);
  if (models_.size() == 1) return 0;
  if (models_.empty()) return FindByName(name);
  return Ambiguous(models_, All());
}

absl::StatusOr<size_t> Catalog::Find(std::string_view name,
                                     TaskKind task) const {
  if (!name.empty()) {
    absl::StatusOr<size_t> index = FindByName(name);
    if (!index.ok() || models_[*index]->description.Has(task)) return index;
    return NoSuchTask(models_[*index]->description, task);
  }
  std::vector<size_t> able;
  for (size_t i = 0; i < models_.size(); ++i) {
    if (models_[i]->description.Has(task)) able.push_back(i);
  }
  if (able.size() == 1) return able[0];
  if (!able.empty()) return Ambiguous(models_, able);
  if (models_.empty()) return FindByName(name);
  if (models_.size() == 1) return NoSuchTask(models_[0]->description, task);
  return absl::FailedPreconditionError(absl::StrCat(
      "no model here has a head for ", std::string(TaskName(task)),
      "; served: ",
      absl::StrJoin(models_, ", ",
                    [](std::string* out,
                       const std::shared_ptr<const ServedModel>& model) {
                      absl::StrAppend(out, model->description.name, " (",
                                      TaskNames(model->description), ")");
                    })));
}

std::vector<size_t> Catalog::All() const {
  std::vector<size_t> all(models_.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

absl::StatusOr<size_t> Catalog::FindByName(std::string_view name) const {
  const auto found = std::ranges::find(
      models_, name,
      [](const std::shared_ptr<const ServedModel>& model)
          -> const std::string& { return model->description.name; });
  if (found != models_.end())
    return static_cast<size_t>(found - models_.begin());
  return absl::NotFoundError(
      absl::StrCat("no model of that name; served: ",
                   models_.empty() ? "none yet" : Names(models_, All())));
}

}  // namespace deberta::server
