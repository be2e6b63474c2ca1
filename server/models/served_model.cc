#include "server/models/served_model.h"

#include <algorithm>

namespace deberta::server {

bool ServedModel::Has(TaskKind task) const {
  return std::ranges::find(tasks, task) != tasks.end();
}

bool ServedModel::HasExact() const {
  return precision == kExactPrecision || exact_queue.has_value();
}

}  // namespace deberta::server
