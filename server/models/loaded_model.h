// A model directory -> what the service needs to answer with it.

#ifndef SERVER_MODELS_LOADED_MODEL_H_
#define SERVER_MODELS_LOADED_MODEL_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/checkpoint/weight_files.h"
#include "model/model.h"
#include "server/base/log.h"
#include "server/models/model_source.h"
#include "server/models/served_model.h"
#include "server/precision/served_networks.h"
#include "tokenizer/profile.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

// A model, its tokenizer and what the service says of them.
struct LoadedModel {
  std::unique_ptr<const tokenizer::Tokenizer> tokenizer;
  ServedNetworks networks;
  ServedModel served;
  absl::Duration load_time;
};

struct ModelLoading {
  int load_threads = 1;
  PrecisionPolicy precision = {};
  model::Products products = model::Products::kOwn;
  // Unless the model's deberta.json says another. Absent: that of the version
  // of transformers which saved the directory.
  std::optional<tokenizer::Profile> tokenizer_profile = {};
  std::vector<model::WeightsFormat> allowed_weights =
      model::AllWeightsFormats();
  std::string hdf5_reader = {};  // path of deberta-read-hdf5
};

// Loads one directory as its deberta.json says. Errors name the model and what
// is wrong with its files; InvalidArgument if the tokenizer has ids that the
// model does not, FailedPrecondition if the model fails its self-test.
// `served.fp32_queue` is left unset.
absl::StatusOr<LoadedModel> LoadModel(const ModelSource& source,
                                      const ModelLoading& loading, Log* log);

}  // namespace deberta::server

#endif  // SERVER_MODELS_LOADED_MODEL_H_
