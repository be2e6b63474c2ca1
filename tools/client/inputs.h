// Where deberta-client's inputs come from: arguments, or lines of a stream.

#ifndef TOOLS_CLIENT_INPUTS_H_
#define TOOLS_CLIENT_INPUTS_H_

#include <cstddef>
#include <istream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/client/command.h"

namespace deberta::tools {

class Inputs {
 public:
  // Each argument is an input; with `pairs` every two are one.
  // InvalidArgument where one is left over.
  static absl::StatusOr<Inputs> FromArguments(
      const std::vector<std::string>& arguments, bool pairs);
  // Each line of `stream` is an input; with `pairs` a TAB parts the two texts.
  static Inputs FromLines(std::istream& stream, bool pairs);

  // Replaces `batch` by up to `limit` further inputs; empty at the end.
  // InvalidArgument names the line that has no TAB.
  absl::Status Next(size_t limit, std::vector<Input>* batch);

 private:
  Inputs(std::istream* stream, bool pairs) : stream_(stream), pairs_(pairs) {}

  std::istream* stream_;  // null: arguments
  bool pairs_;
  std::vector<Input> arguments_;
  size_t taken_ = 0;
};

}  // namespace deberta::tools

#endif  // TOOLS_CLIENT_INPUTS_H_
