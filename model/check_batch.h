// Whether a batch can be computed.

#ifndef MODEL_CHECK_BATCH_H_
#define MODEL_CHECK_BATCH_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/label_head.h"
#include "model/runtime/batch.h"

namespace deberta::model {

// InvalidArgument as Model::Forward() says. `longest`: tokens of a sequence;
// `logit_width` 0, `label_head` null: the model has none.
absl::Status CheckBatch(const RaggedBatch& batch, const Config& config,
                        uint64_t longest, size_t logit_width,
                        const LabelHead* label_head);

}  // namespace deberta::model

#endif  // MODEL_CHECK_BATCH_H_
