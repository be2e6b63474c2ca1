// Says where the tensors of an HDF5 file lie, for the programs that load
// tf_model.h5 (model/checkpoint/hdf5.h tells why this is a program):
//
//   deberta-read-hdf5 FILE
//
// Writes the header of a safetensors file to standard output, or why not to
// standard error (exit status 1).

#include <cstdio>
#include <string>

#include "absl/status/statusor.h"
#include "tools/hdf5/containment.h"
#include "tools/hdf5/tensor_table.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: deberta-read-hdf5 FILE\n", stderr);
    return 2;
  }
  const std::string path = argv[1];
  if (const absl::Status contained = deberta::tools::Contain();
      !contained.ok()) {
    std::fprintf(stderr, "deberta-read-hdf5: cannot limit itself: %s\n",
                 contained.ToString().c_str());
    return 2;
  }
  const absl::StatusOr<std::string> table = deberta::tools::TensorTable(path);
  if (!table.ok()) {
    std::fprintf(stderr, "%s\n", std::string(table.status().message()).c_str());
    return 1;
  }
  const bool written =
      std::fwrite(table->data(), 1, table->size(), stdout) == table->size() &&
      std::fflush(stdout) == 0;
  return written ? 0 : 2;
}
