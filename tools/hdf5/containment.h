// What a process gives up before it touches a file that nobody vouches for
// (model/checkpoint/hdf5.h).

#ifndef TOOLS_HDF5_CONTAINMENT_H_
#define TOOLS_HDF5_CONTAINMENT_H_

#include "absl/status/status.h"

namespace deberta::tools {

// From here on this process has at most 256 MiB of address space and 20 s of
// processor time, can hold one descriptor beside the standard three, leaves no
// core, gains no privileges, and may make only the system calls that reading a
// file and answering take; others fail with EPERM. Nothing undoes this.
//
// Not under a sanitizer, which needs much of what is given up: there only the
// limits that it lives with are set.
absl::Status Contain();

}  // namespace deberta::tools

#endif  // TOOLS_HDF5_CONTAINMENT_H_
