// Writes tensors as a safetensors file.

#ifndef MODEL_CHECKPOINT_SAFETENSORS_WRITER_H_
#define MODEL_CHECKPOINT_SAFETENSORS_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "model/checkpoint/tensor.h"

namespace deberta::model {

// Called with the bytes written so far and those of the whole file; a status
// that is not ok ends the writing with it.
using WriteObserver =
    absl::FunctionRef<absl::Status(uint64_t done, uint64_t total)>;

// Writes the new file `path` and waits until the disk has it. Tensors keep
// their types; metadata says {"format": "pt"}, as that of transformers. The
// elements of each lie aligned to their size: wide types first, then by name.
// AlreadyExists if there is such a file, else as the system says (a full disk
// is ResourceExhausted); what was written of a file that failed stays.
absl::Status WriteSafetensors(const TensorMap& tensors, const std::string& path,
                              WriteObserver observer);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_SAFETENSORS_WRITER_H_
