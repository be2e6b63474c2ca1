// Inputs with expected outputs, by which a model proves itself before it is
// served. See model_settings.h for how deberta.json writes them.

#ifndef SERVER_MODELS_PROOF_H_
#define SERVER_MODELS_PROOF_H_

#include <optional>
#include <string>
#include <vector>

#include "server/tasks/shared/task.h"
#include "server/tasks/shared/task_kind.h"

namespace deberta::server {

struct Proof {
  TaskKind task = TaskKind::kClassify;
  // Of answer_question: the context, and as the pair the question.
  TextInput input = {};
  // zero_shot: to choose from; extract_entities: to look for.
  std::vector<std::string> labels = {};
  // The best answer: a label (of entities that of the first one), a text
  // that answers the question, the token that fills the first mask.
  std::string label = {};
  std::optional<double> score = {};
  double tolerance = 0.01;  // of the score
};

}  // namespace deberta::server

#endif  // SERVER_MODELS_PROOF_H_
