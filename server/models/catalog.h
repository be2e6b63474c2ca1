// The served models, found by the names that requests give.
//
// Immutable: when models change there is another catalog.

#ifndef SERVER_MODELS_CATALOG_H_
#define SERVER_MODELS_CATALOG_H_

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "server/base/mutex.h"
#include "server/models/served_model.h"

namespace deberta::server {

using ServedModels = std::vector<std::shared_ptr<const ServedModel>>;

class Catalog {
 public:
  explicit Catalog(ServedModels models) : models_(std::move(models)) {}

  const ServedModels& models() const { return models_; }

  // The model `name`, or the only one if `name` is empty.
  //   NotFound         no model of that name
  //   InvalidArgument  no name, and several models; lists them
  absl::StatusOr<size_t> Find(std::string_view name) const;

  // The model `name` if it has the task, or the only one that has it if `name`
  // is empty. Beside the errors above:
  //   FailedPrecondition  the model, or no model, has the task
  absl::StatusOr<size_t> Find(std::string_view name, TaskKind task) const;

 private:
  std::vector<size_t> All() const;
  absl::StatusOr<size_t> FindByName(std::string_view name) const;

  const ServedModels models_;
};

// The catalog of now. Thread-safe.
class LiveCatalog {
 public:
  // Never null.
  std::shared_ptr<const Catalog> Get() const {
    MutexLock lock(&mutex_);
    return catalog_;
  }
  void Set(std::shared_ptr<const Catalog> catalog) {
    MutexLock lock(&mutex_);
    catalog_.swap(catalog);  // the old one goes after the lock
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Catalog> catalog_ ABSL_GUARDED_BY(mutex_) =
      std::make_shared<const Catalog>(ServedModels());
};

}  // namespace deberta::server

#endif  // SERVER_MODELS_CATALOG_H_
