// How one input becomes model inputs under a length policy.

#ifndef SERVER_TASKS_SEQUENCE_PLAN_H_
#define SERVER_TASKS_SEQUENCE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/task.h"
#include "tokenizer/encoding.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

struct LengthRule {
  LengthPolicy policy = LengthPolicy::kReject;
  // Most tokens of one sequence, special ones included.
  size_t max_tokens = 0;
  // kWindow: tokens of the windowed text that neighbours share.
  size_t overlap = 0;
  // Of a pair, only the first text is cut or windowed.
  bool keep_second = false;
};

struct SequencePlan {
  // One, or the windows in order.
  std::vector<tokenizer::Encoding> encodings = {};
  // Parallel to encodings: how many tokens of the windowed text come before the
  // window. 0 without windows.
  std::vector<size_t> begins = {};
  Coverage coverage = {};
};

// Plans the inputs of one request. Windows repeat tokens, and so do pairs with
// the same first text: a small request could ask for any number of tokens, so
// that their sum is limited.
class SequencePlanner {
 public:
  // Most tokens in all windows and all pairs of one request.
  static constexpr size_t kMaxRepeatedTokens = size_t{1} << 20;

  // `tokenizer` outlives the planner.
  explicit SequencePlanner(const tokenizer::Tokenizer& tokenizer)
      : tokenizer_(tokenizer) {}

  // `b` may be null. Truncation is longest_first; windows are over `b` if there
  // is one, with `a` whole in each, else over `a`. With keep_second truncation
  // is only_first, and windows are over `a` with `b` whole in each. Errors are
  // InputErrors about `field` ("inputs[3]") or "stride".
  absl::StatusOr<SequencePlan> Plan(const tokenizer::TokenSequence& a,
                                    const tokenizer::TokenSequence* b,
                                    const LengthRule& rule,
                                    std::string_view field);

  // Plans `a` with each of `seconds`.
  absl::StatusOr<std::vector<SequencePlan>> PlanPairs(
      const tokenizer::TokenSequence& a,
      std::span<const tokenizer::TokenSequence> seconds, const LengthRule& rule,
      std::string_view field);

 private:
  absl::StatusOr<SequencePlan> PlanWindows(const tokenizer::TokenSequence& a,
                                           const tokenizer::TokenSequence* b,
                                           const LengthRule& rule,
                                           std::string_view field);
  // Adds to the sum, or refuses.
  absl::Status Repeat(size_t tokens, std::string_view field);

  const tokenizer::Tokenizer& tokenizer_;
  size_t repeated_tokens_ = 0;
};

// What a task remembers of an input's plans, one a pair.
struct PlannedInput {
  // Sequences of each pair; a pair's windows are adjacent.
  std::vector<size_t> windows = {};
  // Of the longest pair, which is truncated if any is.
  Coverage coverage = {};
};

// Appends the sequences of all plans, which read the row of [CLS].
// REQUIRES: `plans` is not empty.
PlannedInput AddFirstRows(std::span<const SequencePlan> plans,
                          std::vector<SequenceInput>* sequences);

// Tokenises and plans texts with optional second texts.
absl::StatusOr<std::vector<SequencePlan>> PlanTextInputs(
    const tokenizer::Tokenizer& tokenizer, std::span<const TextInput> inputs,
    const LengthRule& rule);

// The same for plain texts.
absl::StatusOr<std::vector<SequencePlan>> PlanTexts(
    const tokenizer::Tokenizer& tokenizer, std::span<const std::string> texts,
    const LengthRule& rule);

// A model input that reads `rows` of the encoding.
SequenceInput ToSequence(const tokenizer::Encoding& encoding,
                         std::vector<uint32_t> rows, Readout readout);

// The unweighted mean of the logits of windows with one row each.
// REQUIRES: `windows` is not empty, and all are of the same width.
std::vector<float> MeanLogits(std::span<const SequenceOutput> windows);

// 0, 1, ..., count - 1.
std::vector<uint32_t> AllRows(size_t count);

}  // namespace deberta::server

#endif  // SERVER_TASKS_SEQUENCE_PLAN_H_
