// PyTorch's weight files (pytorch_model.bin): the zip form that torch.save has
// written since 1.6, and the five pickles in a row of before. Spec 6.3.
//
// A pickle is a program. It is read here by a machine that runs none: it knows
// the opcodes that tensors need and the few names of spec 6.3, builds values,
// and refuses everything else by its name (pickle.h, torch_pickle.h).

#ifndef MODEL_CHECKPOINT_TORCH_FILE_H_
#define MODEL_CHECKPOINT_TORCH_FILE_H_

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/pickle.h"
#include "model/checkpoint/tensor.h"

namespace deberta::model {

struct TorchContents {
  TensorMap tensors;  // F32, F16, BF16, F64
  // What the other entries are: the element type of a tensor of integers as
  // safetensors would name it ("I64"), or the kind of a value ("dict").
  NameMap other_types;
  // The elements of the tensors that do not lie row-major in the file, such as
  // transposed ones.
  std::vector<std::vector<std::byte>> buffers;
};

// The views point into `file`, or into `buffers`, and need not be aligned;
// moving the result leaves them valid. Tensors may share bytes. Of a
// {"state_dict": {...}} only the inner entries are read.
//
// InvalidArgument says what is wrong and where; it does not name the file.
// Time and memory are bounded by the bytes of the file: of the object's
// pickle at most 4 million opcodes are read, and `buffers` are never larger
// than twice the file.
absl::StatusOr<TorchContents> ParseTorchFile(std::span<const std::byte> file);

// The object that torch.save was given, whatever it is, without its storages.
// The values' texts lie in `file`.
absl::StatusOr<Pickle> ParseTorchObject(std::span<const std::byte> file);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_TORCH_FILE_H_
