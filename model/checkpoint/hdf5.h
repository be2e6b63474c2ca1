// Where the tensors of an HDF5 file lie, found out by another program.
//
// The HDF5 library is a large body of C that was not written for hostile files.
// It is never linked into the programs that serve: `deberta-read-hdf5` alone
// uses it, once per file, as a child process with nothing to lose. Before the
// library is touched the child gives up
//   memory beyond 256 MiB, 20 s of processor time, core dumps,
//   new files, sockets and processes (RLIMIT_NOFILE leaves it the one
//   descriptor for the file; a seccomp filter leaves it reading, writing to its
//   output, and memory), and new privileges;
// it starts with an empty environment, no inherited descriptors, and is killed
// after a time by the clock. It refuses what could lead out of the file or to a
// plugin: links other than hard ones, external storage, virtual datasets,
// chunks, filters, drivers of several files.
//
// It never reads an element. What it writes is the header of a safetensors
// file, whose offsets are of the HDF5 file itself; that header goes through the
// same checks as any other (safetensors.h), and the elements are read from the
// file as it was loaded. So a child that is taken over can give wrong weights,
// which the file's author can give anyway, and nothing else.

#ifndef MODEL_CHECKPOINT_HDF5_H_
#define MODEL_CHECKPOINT_HDF5_H_

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "model/checkpoint/loaded_file.h"
#include "model/checkpoint/safetensors.h"

namespace deberta::model {

struct Hdf5Reader {
  std::string program;  // path of deberta-read-hdf5
  std::chrono::milliseconds limit = std::chrono::seconds(30);
};

// The views point into `file`, the names are the HDF5 file's own paths
// ("deberta/.../kernel:0"). NotFound if the program is not there,
// InvalidArgument says why the file was refused or how its reader died; both
// name the file.
absl::StatusOr<SafetensorsContents> ReadHdf5(const LoadedFile& file,
                                             const Hdf5Reader& reader);

// For main(): the deberta-read-hdf5 that lies beside the running program.
std::string Hdf5ReaderBesideProgram();

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_HDF5_H_
