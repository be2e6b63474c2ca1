// Checks that several tasks make, of requests and of what the model returned.

#ifndef SERVER_TASKS_SHARED_REQUEST_CHECKS_H_
#define SERVER_TASKS_SHARED_REQUEST_CHECKS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

// "inputs[3]", or "inputs[3].text" with a member.
std::string InputField(size_t index, std::string_view member = "");

// Each is OK or an InputError about `field`.
absl::Status CheckAnyInputs(size_t count);
absl::Status CheckNotNegative(int64_t value, std::string_view field);
absl::Status CheckNoWindows(LengthPolicy policy, std::string_view task);

// An InputError unless the input, the one at `index`, has no choices.
absl::Status CheckNoChoices(const TextInput& input, size_t index);

// The tokens of a text that must not be empty and must be UTF-8; otherwise an
// InputError about `field`.
absl::StatusOr<tokenizer::TokenSequence> TokenizeField(
    const tokenizer::Tokenizer& tokenizer, std::string_view text,
    std::string_view field);
// The same, but the text may be empty.
absl::StatusOr<tokenizer::TokenSequence> TokenizeOptionalField(
    const tokenizer::Tokenizer& tokenizer, std::string_view text,
    std::string_view field);

// Internal error unless the output is [rows, width] (of words and labels one
// row of all that is given of a sequence), names its columns where
// the sequence asks for the best, and is finite: of an infinite logit a softmax
// makes NaN.
absl::Status CheckOutput(const SequenceInput& sequence,
                         const SequenceOutput& output, size_t width);

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_REQUEST_CHECKS_H_
