#include "server/tasks/shared/task_kind.h"

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
    case TaskKind::kExtractEntities:
      return "extract_entities";
    case TaskKind::kRerank:
      return "rerank";
    case TaskKind::kExtractStructured:
      return "extract_structured";
  }
  return "unknown";
}

}  // namespace deberta::server
