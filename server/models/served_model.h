// A loaded model: what computes, what the tasks read of it, and what is told of
// it.

#ifndef SERVER_MODELS_SERVED_MODEL_H_
#define SERVER_MODELS_SERVED_MODEL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "server/models/model_description.h"
#include "server/models/proof.h"
#include "server/models/task_settings.h"
#include "server/precision/served_networks.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

struct ServedModel {
  std::unique_ptr<const tokenizer::Tokenizer> tokenizer = nullptr;
  std::unique_ptr<const model::Model> network = nullptr;
  // The same in fp32; null unless kept beside a lower precision.
  std::unique_ptr<const model::Model> fp32_network = nullptr;
  TaskSettings settings = {};
  // Views of the tokenizer, the network and what the settings point to.
  TaskModel task_model = {};
  ModelDescription description = {};
  // What it must answer before it is served; see deberta.json.
  std::vector<Proof> proofs = {};

  // Its place in the service, given by Engine::Host().
  size_t number = 0;  // of its name, whatever is served under it
  size_t queue = 0;   // of the scheduler
  // That of fp32_network.
  std::optional<size_t> fp32_queue = {};

  // The queue that computes in fp32; none if that was not kept.
  std::optional<size_t> Fp32Queue() const {
    if (description.keeps_fp32) return fp32_queue;
    return description.HasFp32() ? std::optional(queue) : std::nullopt;
  }
};

// All three outlive what is returned.
TaskModel MakeTaskModel(const tokenizer::Tokenizer& tokenizer,
                        const model::Model& network,
                        const TaskSettings& settings);

// Describes the parts but for `sha256` and `load_time`.
ServedModel MakeServedModel(
    const std::string& name, WantedPrecision wanted,
    std::unique_ptr<const tokenizer::Tokenizer> tokenizer,
    ServedNetworks networks, TaskSettings settings);

}  // namespace deberta::server

#endif  // SERVER_MODELS_SERVED_MODEL_H_
