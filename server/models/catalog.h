// The served models, found by the names that requests give.

#ifndef SERVER_MODELS_CATALOG_H_
#define SERVER_MODELS_CATALOG_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/models/served_model.h"

namespace deberta::server {

class Catalog {
 public:
  // The index of a model is that of its queue in the scheduler; fp32 beside it
  // has a queue of its own, ServedModel::fp32_queue.
  explicit Catalog(std::vector<ServedModel> models)
      : models_(std::move(models)) {}

  const std::vector<ServedModel>& models() const { return models_; }

  // The model `name`, or the only one if `name` is empty.
  //   NotFound         no model of that name
  //   InvalidArgument  no name, and several models; lists them
  absl::StatusOr<size_t> Find(std::string_view name) const;

  // The model `name` if it has the task, or the only one that has it if `name`
  // is empty. Beside the errors above:
  //   FailedPrecondition  the model, or no model, has the task
  absl::StatusOr<size_t> Find(std::string_view name, TaskKind task) const;

 private:
  absl::StatusOr<size_t> FindByName(std::string_view name) const;

  const std::vector<ServedModel> models_;
};

}  // namespace deberta::server

#endif  // SERVER_MODELS_CATALOG_H_
