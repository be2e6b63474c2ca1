// The commands of tasks that read the caller's own labels or order documents.

#ifndef TOOLS_CLIENT_LABEL_COMMANDS_H_
#define TOOLS_CLIENT_LABEL_COMMANDS_H_

#include "absl/status/statusor.h"
#include "tools/client/command.h"

namespace deberta::tools {

// A label is "NAME" or "NAME=DESCRIPTION". InvalidArgument without one.
absl::StatusOr<Command> ExtractEntities(const Settings& settings);

// The schema is JSON of an ExtractStructuredRequest, without inputs.
// InvalidArgument without one, or of another form.
absl::StatusOr<Command> ExtractStructured(const Settings& settings);

// Appends one answer for all inputs, which are the documents: a line of JSON
// for each of them in their order. InvalidArgument without a query.
absl::StatusOr<Command> Rerank(const Settings& settings);

}  // namespace deberta::tools

#endif  // TOOLS_CLIENT_LABEL_COMMANDS_H_
