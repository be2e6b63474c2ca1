#include "server/tasks/shared/request_checks.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace deberta::server {

std::string InputField(size_t index, std::string_view member) {
  std::string field = absl::StrCat("inputs[", index, "]");
  if (!member.empty()) field.append(".").append(member);
  return field;
}

absl::Status CheckAnyInputs(size_t count) {
  if (count > 0) return absl::OkStatus();
  return InputError("inputs", "the list is empty, expected at least one input");
}

absl::Status CheckNotNegative(int64_t value, std::string_view field) {
  if (value >= 0) return absl::OkStatus();
  return InputError(field, absl::StrCat("must not be negative, got ", value));
}

absl::Status CheckNoWindows(LengthPolicy policy, std::string_view task) {
  if (policy != LengthPolicy::kWindow) return absl::OkStatus();
  return InputError(
      "length_policy",
      std::string(task) + " has no windows, expected REJECT or TRUNCATE");
}

absl::Status CheckNoChoices(const TextInput& input, size_t index) {
  if (input.choices.empty()) return absl::OkStatus();
  return InputError(InputField(index, "choices"),
                    "only Classify with a multiple choice model has choices");
}

absl::StatusOr<tokenizer::TokenSequence> TokenizeOptionalField(
    const tokenizer::Tokenizer& tokenizer, std::string_view text,
    std::string_view field) {
  absl::StatusOr<tokenizer::TokenSequence> tokens = tokenizer.Tokenize(text);
  if (!tokens.ok() && absl::IsInvalidArgument(tokens.status())) {
    return InputError(field, std::string(tokens.status().message()));
  }
  return tokens;
}

absl::StatusOr<tokenizer::TokenSequence> TokenizeField(
    const tokenizer::Tokenizer& tokenizer, std::string_view text,
    std::string_view field) {
  if (text.empty()) return InputError(field, "must not be empty");
  return TokenizeOptionalField(tokenizer, text, field);
}

absl::Status CheckOutput(const SequenceInput& sequence,
                         const SequenceOutput& output, size_t width) {
  const size_t rows =
      sequence.readout == Readout::kWordLogits ? 1 : sequence.rows.size();
  if (output.width != width || output.values.size() != rows * width) {
    return absl::InternalError(absl::StrCat(
        "the model's output has ", output.values.size(), " values of width ",
        output.width, ", expected ", rows, " rows of width ", width));
  }
  const size_t columns = sequence.best == nullptr ? 0 : output.values.size();
  if (output.columns.size() != columns) {
    return absl::InternalError(absl::StrCat("the model's output names ",
                                            output.columns.size(),
                                            " columns, expected ", columns));
  }
  const auto wrong =
      std::find_if(output.values.begin(), output.values.end(),
                   [](float value) { return !std::isfinite(value); });
  if (wrong == output.values.end()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the model's output is not finite: it holds ",
                   std::isnan(*wrong) ? "NaN" : "infinity"));
}

}  // namespace deberta::server
