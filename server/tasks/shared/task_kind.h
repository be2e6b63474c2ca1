// The tasks, by name.

#ifndef SERVER_TASKS_SHARED_TASK_KIND_H_
#define SERVER_TASKS_SHARED_TASK_KIND_H_

#include <array>
#include <string_view>

namespace deberta::server {

enum class TaskKind {
  kClassify,
  kTagTokens,
  kAnswerQuestion,
  kFillMask,
  kZeroShot,
  kEncode,
  kExtractEntities,
  kRerank,
  kExtractStructured,
};

inline constexpr std::array kTaskKinds = {
    TaskKind::kClassify,         TaskKind::kTagTokens,
    TaskKind::kAnswerQuestion,   TaskKind::kFillMask,
    TaskKind::kZeroShot,         TaskKind::kEncode,
    TaskKind::kExtractEntities,  TaskKind::kRerank,
    TaskKind::kExtractStructured};

// The name in metrics and messages: "classify", "tag_tokens", ...
std::string_view TaskName(TaskKind task);

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_TASK_KIND_H_
