// How one input becomes model inputs under a length policy.

#ifndef SERVER_TASKS_SHARED_SEQUENCE_PLAN_H_
#define SERVER_TASKS_SHARED_SEQUENCE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/encoding/truncation.h"
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
  // Tokens that stand in each sequence beside the texts' and the template's.
  size_t fixed_tokens = 0;
};

// Refuses a text that is much too long for kReject from the tokens of its
// beginning, with an InputError about `field`: most of it is not tokenized.
// Only what SequencePlan::Create() would refuse; what is OK may be too long
// yet. `text` is UTF-8 and may be a part of a pair.
absl::Status CheckBeginning(const tokenizer::Tokenizer& tokenizer,
                            std::string_view text, const LengthRule& rule,
                            std::string_view field);

// The sequences of a text, or of a pair of texts: one, or windows. Each is made
// when it is asked for, so that a plan is small however long the text is.
class SequencePlan {
 public:
  // `tokenizer`, `a` and `b` outlive the plan; `b` may be null. Truncation is
  // longest_first; windows are over `b` if there is one, with `a` whole in
  // each, else over `a`. With keep_second truncation is only_first, and windows
  // are over `a` with `b` whole in each. Tokens are cut from the tokenizer's
  // truncation_side(), and windows laid from the other. Errors are InputErrors
  // about `field` ("inputs[3]") or "stride".
  static absl::StatusOr<SequencePlan> Create(
      const tokenizer::Tokenizer& tokenizer, const tokenizer::TokenSequence& a,
      const tokenizer::TokenSequence* b, const LengthRule& rule,
      std::string_view field);

  const Coverage& coverage() const { return coverage_; }

  // Sequences; windows are in the order of the text.
  size_t size() const { return coverage_.windows; }
  // Tokens of the longest, special ones included.
  size_t longest() const { return longest_; }
  // Code points of the longest stretch of a text that a sequence has, about.
  size_t longest_text() const;
  // REQUIRES, of both: index < size().
  tokenizer::Encoding Encode(size_t index) const;
  // The tokens of the windowed text that a window holds.
  tokenizer::TokenRange window(size_t index) const {
    return windows_.at(index);
  }

 private:
  SequencePlan(const tokenizer::Tokenizer& tokenizer,
               const tokenizer::TokenSequence& a,
               const tokenizer::TokenSequence* b)
      : tokenizer_(&tokenizer), a_(&a), b_(b) {}

  struct Ranges {
    tokenizer::TokenRange a;
    tokenizer::TokenRange b;
  };
  // What the sequence has of each text.
  Ranges RangesOf(size_t index) const;

  absl::Status PlanWhole(const LengthRule& rule, size_t special,
                         std::string_view field);
  absl::Status PlanWindows(const LengthRule& rule, size_t special,
                           std::string_view field);

  const tokenizer::Tokenizer* tokenizer_;
  const tokenizer::TokenSequence* a_;
  const tokenizer::TokenSequence* b_;
  // What is read of each text; of the windowed one, `windows_` tells.
  tokenizer::TokenRange range_a_;
  tokenizer::TokenRange range_b_;
  bool windowed_ = false;
  bool windows_over_a_ = true;
  tokenizer::Windows windows_;
  size_t longest_ = 0;
  Coverage coverage_;
};

// A model input that reads `rows` of the encoding.
SequenceInput ToSequence(const tokenizer::Encoding& encoding,
                         std::vector<uint32_t> rows, Readout readout);

// 0, 1, ..., count - 1.
std::vector<uint32_t> AllRows(size_t count);

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_SEQUENCE_PLAN_H_
