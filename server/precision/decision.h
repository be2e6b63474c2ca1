// Which precision is served, from what was measured of each.

#ifndef SERVER_PRECISION_DECISION_H_
#define SERVER_PRECISION_DECISION_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "model/gemm/precision.h"
#include "server/precision/agreement.h"

namespace deberta::server {

// Less is not worth a change of answers.
inline constexpr double kLeastSpeedup = 1.15;

// What is known of one precision below fp32.
struct Trial {
  model::Precision precision = model::Precision::kInt8;
  // Time of fp32 over its time; none if it was asked for, and is used at any
  // speed.
  std::optional<double> speedup = {};
  // None if it did not come so far.
  std::optional<Agreement> agreement = {};
};

struct Decision {
  model::Precision used = model::Precision::kFp32;
  // Of the precision used: the index of its trial; none of fp32.
  std::optional<size_t> trial;
  // Every trial with its figures, and what is served.
  std::string reason;
};

// The fastest that is worth it and near enough to fp32, the first among equals;
// else fp32. REQUIRES: `trials` is not empty.
Decision Decide(std::span<const Trial> trials,
                const AgreementThresholds& thresholds);

// Whether a precision of this speed could still be chosen after `trials`, if it
// is near enough to fp32.
bool CouldWin(double speedup, std::span<const Trial> trials,
              const AgreementThresholds& thresholds);

}  // namespace deberta::server

#endif  // SERVER_PRECISION_DECISION_H_
