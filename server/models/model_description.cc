#include "server/models/model_description.h"

#include <algorithm>

namespace deberta::server {

bool ModelDescription::Has(TaskKind task) const {
  return std::ranges::find(tasks, task) != tasks.end();
}

}  // namespace deberta::server
