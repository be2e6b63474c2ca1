#include "server/models/served_model.h"

#include <algorithm>

namespace deberta::server {

bool ServedModel::Has(TaskKind task) const {
  return std::ranges::find(tasks, task) != tasks.end();
}

bool ServedModel::HasFp32() const {
  return precision == kFp32 || fp32_queue.has_value();
}

}  // namespace deberta::server
