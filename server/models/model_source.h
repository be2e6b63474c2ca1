// What --models names: directories, and the names that requests use.

#ifndef SERVER_MODELS_MODEL_SOURCE_H_
#define SERVER_MODELS_MODEL_SOURCE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/weight_files.h"

namespace deberta::server {

struct ModelSource {
  std::string name;
  std::string directory;
  model::WeightsVariant variant = model::WeightsVariant::kMain;
};

// "name=DIR,DIR,...". A name defaults to the last part of its directory.
// "DIR:generator", unless there is a directory of that very name, is the
// generator in DIR, and its name defaults to that of DIR with "-generator".
absl::StatusOr<std::vector<ModelSource>> ParseModels(std::string_view models);

// NotFound, with what to do, unless the source is a directory that holds a
// configuration: models are never downloaded, and names of the hub and URLs are
// told apart from paths that are not there.
absl::Status CheckDirectory(const ModelSource& source);

// The status, naming the model and its directory.
absl::Status InModel(const ModelSource& source, const absl::Status& status);

// Whether requests can ask for a model of that name: 1 to 64 letters, digits,
// '.', '_' or '-'.
bool IsModelName(std::string_view name);

}  // namespace deberta::server

#endif  // SERVER_MODELS_MODEL_SOURCE_H_
