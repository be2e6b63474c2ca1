// How models are loaded: what the flags say for all of them.

#ifndef SERVER_MODELS_LOAD_OPTIONS_H_
#define SERVER_MODELS_LOAD_OPTIONS_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/checkpoint/weight_files.h"
#include "model/gemm/products.h"
#include "model/shared_weights.h"
#include "server/precision/served_networks.h"
#include "tokenizer/files/profile.h"

namespace deberta::server {

struct LoadOptions {
  int threads = 1;  // that pack weights
  PrecisionPolicy precision = {};
  model::Products products = model::Products::kAuto;
  // Of models whose deberta.json does not say. Absent ("auto"): that of the
  // version of transformers which saved the directory.
  std::optional<tokenizer::Profile> tokenizer_profile = {};
  // Most tokens of a sequence, of models whose deberta.json does not say.
  // Absent: by the model's and its tokenizer's own limits.
  std::optional<size_t> max_tokens = {};
  // More than these cannot be asked of any model.
  size_t max_queue_tokens = size_t{1} << 31;
  size_t batches = 1;  // that are computed at once
  std::vector<model::WeightsFormat> allowed_weights =
      model::AllWeightsFormats();
  // Most bytes that a request's answer, and finding a text's tokens, may take.
  size_t max_request_memory = size_t{150} << 20;
  // That the process may hold: a model that would take more is not loaded.
  std::optional<size_t> memory_bytes = {};
  // Of all models of the process; no flag.
  std::shared_ptr<model::SharedWeights> shared_weights =
      std::make_shared<model::SharedWeights>();
  std::string hdf5_reader = {};  // path of deberta-read-hdf5; no flag
};

}  // namespace deberta::server

#endif  // SERVER_MODELS_LOAD_OPTIONS_H_
