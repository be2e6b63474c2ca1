#include "server/rpc/served_model.h"

#include <algorithm>

namespace deberta::server {

std::string_view TaskName(TaskKind task) {
  switch (task) {
    case TaskKind::kClassify:
      return "classify";
    case TaskKind::kTagTokens:
      return "tag_tokens";
    case TaskKind::kAnswerQuestion:
      return "answer_question";
    case TaskKind::kFillMask:
      return "fill_mask";
    case TaskKind::kZeroShot:
      return "zero_shot";
    case TaskKind::kEncode:
      return "encode";
  }
  return "unknown";
}

bool ServedModel::Has(TaskKind task) const {
  return std::ranges::find(tasks, task) != tasks.end();
}

bool ServedModel::HasExact() const {
  return precision == kExactPrecision || exact_queue.has_value();
}

}  // namespace deberta::server
