#include "server/models/catalog.h"

#include <algorithm>
#include <span>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/base/error_reason.h"

namespace deberta::server {
namespace {

std::string Names(const std::vector<ServedModel>& models,
                  std::span<const size_t> indices) {
  return absl::StrJoin(indices, ", ", [&](std::string* out, size_t index) {
    out->append(models[index].name);
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
absl::Status NoSuchTask(const ServedModel& model, TaskKind task) {
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
    if (!index.ok() || models_[*index].Has(task)) return index;
    return NoSuchTask(models_[*index], task);
  }
  std::vector<size_t> able;
  for (size_t i = 0; i < models_.size(); ++i) {
    if (models_[i].Has(task)) able.push_back(i);
  }
  if (able.size() == 1) return able[0];
  if (!able.empty()) return Ambiguous(models_, able);
  if (models_.size() == 1) return NoSuchTask(models_[0], task);
  return absl::FailedPreconditionError(absl::StrCat(
      "no model here has a head for ", std::string(TaskName(task))));
}

absl::StatusOr<size_t> Catalog::FindByName(std::string_view name) const {
  const auto found = std::ranges::find(models_, name, &ServedModel::name);
  if (found != models_.end())
    return static_cast<size_t>(found - models_.begin());
  return absl::NotFoundError(absl::StrCat(
      "no model of that name; served: ",
      absl::StrJoin(models_, ", ", [](std::string* out, const ServedModel& m) {
        out->append(m.name);
      })));
}

}  // namespace deberta::server
