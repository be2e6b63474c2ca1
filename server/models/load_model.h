// A model directory -> what the service needs to answer with it.

#ifndef SERVER_MODELS_LOAD_MODEL_H_
#define SERVER_MODELS_LOAD_MODEL_H_

#include "absl/status/statusor.h"
#include "server/base/log.h"
#include "server/models/load_options.h"
#include "server/models/model_source.h"
#include "server/models/served_model.h"

namespace deberta::server {

// Loads one directory as its deberta.json says. Errors name the model and what
// is wrong with its files; InvalidArgument if the tokenizer has ids that the
// model does not, FailedPrecondition if the model fails its self-test.
absl::StatusOr<ServedModel> LoadModel(const ModelSource& source,
                                      const LoadOptions& options, Log* log);

}  // namespace deberta::server

#endif  // SERVER_MODELS_LOAD_MODEL_H_
