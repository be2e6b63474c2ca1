// How far a model in a lower precision is from the same model in fp32, and
// whether that is near enough to serve it.
//
// The two answer the same calibration inputs. Compared are the labels that
// callers would see, and the logits behind them.

#ifndef SERVER_PRECISION_AGREEMENT_H_
#define SERVER_PRECISION_AGREEMENT_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

// What of an input's values [rows, width] is a label.
enum class LabelRule {
  kNone,       // regression: nothing
  kBestOfRow,  // the greatest of each row: classes of a text, a token, a mask
  kBestOfColumn,  // the row with the greatest of each column: start and end of
                  // an answer; the best of several choices
  kSides,         // whether each is positive: labels that exclude no other
  kFound,         // whether each is positive, of those that are in either
  kDirection,     // of each row: it agrees from a cosine of kLeastCosine on
};

inline constexpr double kLeastCosine = 0.99;

struct CalibrationInput {
  // Answered together; more than one for choices. Never empty.
  std::vector<SequenceInput> sequences;
};

struct Calibration {
  LabelRule rule = LabelRule::kBestOfRow;
  std::vector<CalibrationInput> inputs;
};

struct Agreement {
  size_t inputs = 0;
  size_t labels = 0;
  size_t agreeing = 0;
  // The largest |a - b| of a logit, or of a hidden state under kDirection;
  // infinity if one is not finite, whatever the other is.
  double max_logit_change = 0;

  // 1 without labels.
  double label_agreement() const;
};

// What is near enough.
struct AgreementThresholds {
  double min_label_agreement = 0.99;
  double max_logit_change = 0;  // 0: any that is finite
};

// Adds one input: its values in fp32 and in the other precision, of the same
// size. REQUIRES: width divides it.
void CompareInput(LabelRule rule, std::span<const float> fp32,
                  std::span<const float> other, size_t width,
                  Agreement* agreement);

// Runs both models over every input, in batches of bounded size.
absl::StatusOr<Agreement> CompareModels(const model::Model& fp32,
                                        const model::Model& other,
                                        const Calibration& calibration,
                                        model::Workspace& workspace);

// The thresholds that were missed; empty if it is near enough to be served.
// Values that are not finite never pass.
std::string WhyTooFar(const Agreement& agreement,
                      const AgreementThresholds& thresholds);

// Inputs from the first on, laid end to end, of at most `max_tokens` tokens;
// the first whatever its length.
model::RaggedBatch FirstInputs(const Calibration& calibration,
                               size_t max_tokens);

}  // namespace deberta::server

#endif  // SERVER_PRECISION_AGREEMENT_H_
