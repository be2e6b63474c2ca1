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
};

struct SequencePlan {
  // One, or the windows in order.
  std::vector<tokenizer::Encoding> encodings = {};
  // Parallel to encodings: how many tokens of the windowed text come before the
  // window. 0 without windows.
  std::vector<size_t> begins = {};
  Coverage coverage = {};
};

// Plans the inputs of one request. Windows repeat tokens, and an overlap close
// to the window would repeat them without bound: their sum is limited.
class SequencePlanner {
 public:
  // Most tokens in all windows of one request.
  static constexpr size_t kMaxWindowedTokens = size_t{1} << 20;

  // `tokenizer` outlives the planner.
  explicit SequencePlanner(const tokenizer::Tokenizer& tokenizer)
      : tokenizer_(tokenizer) {}

  // `b` may be null. Truncation is longest_first; windows are over `b` if there
  // is one, with `a` whole in each, else over `a`. Errors are InputErrors about
  // `field` ("inputs[3]") or "stride".
  absl::StatusOr<SequencePlan> Plan(const tokenizer::TokenSequence& a,
                                    const tokenizer::TokenSequence* b,
                                    const LengthRule& rule,
                                    std::string_view field);

 private:
  absl::StatusOr<SequencePlan> PlanWindows(const tokenizer::TokenSequence& a,
                                           const tokenizer::TokenSequence* b,
                                           const LengthRule& rule,
                                           std::string_view field);

  const tokenizer::Tokenizer& tokenizer_;
  size_t windowed_tokens_ = 0;
};

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

// 0, 1, ..., count - 1.
std::vector<uint32_t> AllRows(size_t count);

}  // namespace deberta::server

#endif  // SERVER_TASKS_SEQUENCE_PLAN_H_
