// A loaded model: what computes, what the tasks read of it, and what is told of
// it.

#ifndef SERVER_MODELS_SERVED_MODEL_H_
#define SERVER_MODELS_SERVED_MODEL_H_

#include <memory>
#include <string>

#include "model/model.h"
#include "server/models/model_description.h"
#include "server/precision/served_networks.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

struct ServedModel {
  std::unique_ptr<const tokenizer::Tokenizer> tokenizer = nullptr;
  std::unique_ptr<const model::Model> network = nullptr;
  // The same in fp32; null unless kept beside a lower precision.
  std::unique_ptr<const model::Model> fp32_network = nullptr;
  // Views of the tokenizer and the network.
  TaskModel task_model = {};
  ModelDescription description = {};
};

// The two outlive what is returned.
TaskModel MakeTaskModel(const tokenizer::Tokenizer& tokenizer,
                        const model::Model& network);

// Describes the parts but for `sha256` and `load_time`.
ServedModel MakeServedModel(
    const std::string& name, WantedPrecision wanted,
    std::unique_ptr<const tokenizer::Tokenizer> tokenizer,
    ServedNetworks networks);

}  // namespace deberta::server

#endif  // SERVER_MODELS_SERVED_MODEL_H_
