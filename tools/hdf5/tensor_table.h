// The datasets of an HDF5 file and where they lie. The only user of the HDF5
// library; runs in a process of its own (model/checkpoint/hdf5.h).

#ifndef TOOLS_HDF5_TENSOR_TABLE_H_
#define TOOLS_HDF5_TENSOR_TABLE_H_

#include <string>

#include "absl/status/statusor.h"

namespace deberta::tools {

// The header of a safetensors file: {"path/of/dataset": {"dtype", "shape",
// "data_offsets"}}, the offsets being positions in the HDF5 file. Datasets of
// other than floating-point numbers are listed with their class for a dtype.
// InvalidArgument for whatever does not lie in the file itself as plain
// row-major bytes.
absl::StatusOr<std::string> TensorTable(const std::string& path);

}  // namespace deberta::tools

#endif  // TOOLS_HDF5_TENSOR_TABLE_H_
