// What a process gives up before it touches a file that nobody vouches for
// (model/checkpoint/hdf5.h).

#ifndef TOOLS_HDF5_CONTAINMENT_H_
#define TOOLS_HDF5_CONTAINMENT_H_

#include "absl/base/config.h"
#include "absl/status/status.h"

namespace deberta::tools {

#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
inline constexpr bool kUnderSanitizer = true;
#else
inline constexpr bool kUnderSanitizer = false;
#endif

// From here on this process has at most 256 MiB of address space and 20 s of
// processor time, can hold one descriptor beside the standard three, leaves no
// core, gains no privileges, and may make only the system calls that reading a
// file and answering take; others fail with EPERM. Nothing undoes this.
//
// With kUnderSanitizer only the limits that a sanitizer lives with are set: it
// needs much of what is given up.
absl::Status Contain();

}  // namespace deberta::tools

#endif  // TOOLS_HDF5_CONTAINMENT_H_
