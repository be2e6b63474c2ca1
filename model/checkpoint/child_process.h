// A child process that is given nothing, and what it wrote.

#ifndef MODEL_CHECKPOINT_CHILD_PROCESS_H_
#define MODEL_CHECKPOINT_CHILD_PROCESS_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace deberta::model {

struct ChildLimits {
  std::chrono::milliseconds time;  // by the clock
  size_t output_bytes;
};

struct ChildOutput {
  std::string text;  // standard output and standard error
  // "" for exit status 0, else how it ended: "exit status 1", "killed by signal
  // 11 (Segmentation fault)", "stopped after 30 s", ...
  std::string failure;
};

// Runs `command` (a path and its arguments) without environment, input,
// inherited descriptors or signal settings, and waits for it. It is killed when
// it closes its output, writes too much, or takes too long. NotFound if there
// is no such program.
absl::StatusOr<ChildOutput> RunChild(const std::vector<std::string>& command,
                                     const ChildLimits& limits);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_CHILD_PROCESS_H_
