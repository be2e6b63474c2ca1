// The safetensors format: a u64 header length, a JSON header
// {name: {dtype, shape, data_offsets}}, and the elements.

#ifndef MODEL_CHECKPOINT_SAFETENSORS_H_
#define MODEL_CHECKPOINT_SAFETENSORS_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/checkpoint/tensor.h"

namespace deberta::model {

struct SafetensorsContents {
  TensorMap tensors;  // F32, F16, BF16, F64
  // Element types, as written, of the tensors of any other type.
  NameMap other_types;
  // What __metadata__ says laid the tensors out: "pt", "tf" or nothing.
  std::string framework;
};

// The views point into `file`. InvalidArgument says what is wrong and where;
// it does not name the file. No tensor of the result lies outside the file,
// overlaps another or disagrees with its shape.
absl::StatusOr<SafetensorsContents> ParseSafetensors(
    std::span<const std::byte> file);

// The same for a header and elements that do not lie in one file: the views
// point into `data`, which the header's offsets count from.
absl::StatusOr<SafetensorsContents> ParseTensorTable(
    std::span<const std::byte> header, std::span<const std::byte> data);

// The weight_map of model.safetensors.index.json (and of the indices of the
// other formats, which are like it): file names by tensor name.
// Every file name is plain: it cannot leave the checkpoint's directory.
absl::StatusOr<NameMap> ParseSafetensorsIndex(std::string_view text);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_SAFETENSORS_H_
