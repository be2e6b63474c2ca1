#include "server/models/catalog.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/error_reason.h"

namespace deberta::server {
namespace {

std::string Names(const std::vector<ServedModel>& models,
                  std::span<const size_t> indices) {
  return absl::StrJoin(indices, ", ", [&](std::string* out, size_t index) {
    out->append(models[index].description.name);
  });
}

absl::Status Ambiguous(const std::vector<ServedModel>& models,
                       std::span<const size_t> indices) {
  return WithReason(
      InputError("model", absl::StrCat("no model named, and several would do: ",
                                       Names(models, indices))),
      "MODEL_AMBIGUOUS");
}

// A model asked for a task that it does not have.
absl::Status NoSuchTask(const ModelDescription& model, TaskKind task) {
  const auto refusal = model.refusals.find(task);
  return absl::FailedPreconditionError(absl::StrCat(
      "model ", model.name, " has no head for ", std::string(TaskName(task)),
      refusal == model.refusals.end() ? "" : ": " + refusal->second,
      "; it does ",
      absl::StrJoin(model.tasks, ", ", [](std::string* out, TaskKind kind) {
        out->append(TaskName(kind));
      })));
}

}  // namespace

Catalog::Catalog(std::vector<ServedModel> models) : models_(std::move(models)) {
  for (size_t i = 0; i < models_.size(); ++i) queue_models_.push_back(i);
  for (size_t i = 0; i < models_.size(); ++i) {
    if (models_[i].description.keeps_fp32) queue_models_.push_back(i);
  }
}

const model::Model& Catalog::NetworkOfQueue(size_t queue) const {
  const ServedModel& model = models_[queue_models_[queue]];
  return queue < models_.size() ? *model.network : *model.fp32_network;
}

std::optional<size_t> Catalog::Fp32Queue(size_t model) const {
  const ModelDescription& description = models_[model].description;
  if (!description.HasFp32()) return std::nullopt;
  if (!description.keeps_fp32) return model;
  const auto beside =
      queue_models_.begin() + static_cast<std::ptrdiff_t>(models_.size());
  return static_cast<size_t>(std::find(beside, queue_models_.end(), model) -
                             queue_models_.begin());
}

absl::StatusOr<size_t> Catalog::Find(std::string_view name) const {
  if (!name.empty()) return FindByName(name);
  if (models_.size() == 1) return 0;
  std::vector<size_t> all(models_.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  return Ambiguous(models_, all);
}

absl::StatusOr<size_t> Catalog::Find(std::string_view name,
                                     TaskKind task) const {
  if (!name.empty()) {
    absl::StatusOr<size_t> index = FindByName(name);
    if (!index.ok() || models_[*index].description.Has(task)) return index;
    return NoSuchTask(models_[*index].description, task);
  }
  std::vector<size_t> able;
  for (size_t i = 0; i < models_.size(); ++i) {
    if (models_[i].description.Has(task)) able.push_back(i);
  }
  if (able.size() == 1) return able[0];
  if (!able.empty()) return Ambiguous(models_, able);
  if (models_.size() == 1) return NoSuchTask(models_[0].description, task);
  return absl::FailedPreconditionError(absl::StrCat(
      "no model here has a head for ", std::string(TaskName(task))));
}

absl::StatusOr<size_t> Catalog::FindByName(std::string_view name) const {
  const auto found = std::ranges::find(
      models_, name, [](const ServedModel& model) -> const std::string& {
        return model.description.name;
      });
  if (found != models_.end())
    return static_cast<size_t>(found - models_.begin());
  return absl::NotFoundError(absl::StrCat(
      "no model of that name; served: ",
      absl::StrJoin(models_, ", ", [](std::string* out, const ServedModel& m) {
        out->append(m.description.name);
      })));
}

}  // namespace deberta::server
