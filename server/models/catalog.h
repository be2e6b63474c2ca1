// The served models, found by the names that requests give, and the queues of
// the scheduler that compute them.

#ifndef SERVER_MODELS_CATALOG_H_
#define SERVER_MODELS_CATALOG_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "server/models/served_model.h"

namespace deberta::server {

class Catalog {
 public:
  explicit Catalog(std::vector<ServedModel> models);

  const std::vector<ServedModel>& models() const { return models_; }

  // Each model has a queue, of its own index; those that keep fp32 beside a
  // lower precision have one more for it, after all of these.
  size_t queues() const { return queue_models_.size(); }
  size_t ModelOfQueue(size_t queue) const { return queue_models_[queue]; }
  const model::Model& NetworkOfQueue(size_t queue) const;
  // The queue of a model that computes in fp32; none if it was not kept.
  std::optional<size_t> Fp32Queue(size_t model) const;

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
  std::vector<size_t> queue_models_;  // the model of each queue
};

}  // namespace deberta::server

#endif  // SERVER_MODELS_CATALOG_H_
