#include "server/precision/decision.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace deberta::server {
namespace {

// One that was asked for outruns every measured one.
double Speed(const Trial& trial) {
  return trial.speedup.value_or(std::numeric_limits<double>::infinity());
}

bool Passes(const Trial& trial, const AgreementThresholds& thresholds) {
  return Speed(trial) >= kLeastSpeedup && trial.agreement.has_value() &&
         WhyTooFar(*trial.agreement, thresholds).empty();
}

// "412 of 413 labels agree with fp32, a logit changes by at most 0.31"
std::string Figures(const Agreement& agreement) {
  std::string text;
  if (agreement.labels > 0) {
    text = absl::StrFormat("%d of %d labels agree with fp32, ",
                           agreement.agreeing, agreement.labels);
  }
  absl::StrAppendFormat(&text, "a logit changes by at most %.3g",
                        agreement.max_logit_change);
  return text;
}

// "int8: 1.62 times as fast as fp32, 412 of 413 labels agree ..."
std::string Describe(const Trial& trial,
                     const AgreementThresholds& thresholds) {
  std::string text(model::PrecisionName(trial.precision));
  text.append(": ");
  if (trial.speedup.has_value()) {
    absl::StrAppendFormat(&text, "%.2f times as fast as fp32", *trial.speedup);
    if (*trial.speedup < kLeastSpeedup)
      absl::StrAppendFormat(&text, ", %g would be worth it", kLeastSpeedup);
  }
  if (!trial.agreement.has_value()) return text;
  absl::StrAppend(&text, trial.speedup.has_value() ? ", " : "",
                  Figures(*trial.agreement));
  const std::string why = WhyTooFar(*trial.agreement, thresholds);
  if (!why.empty()) absl::StrAppend(&text, ": ", why);
  return text;
}

}  // namespace

Decision Decide(std::span<const Trial> trials,
                const AgreementThresholds& thresholds) {
  Decision decision;
  for (size_t i = 0; i < trials.size(); ++i) {
    absl::StrAppend(&decision.reason, i == 0 ? "" : "; ",
                    Describe(trials[i], thresholds));
    if (!Passes(trials[i], thresholds)) continue;
    if (decision.trial.has_value() &&
        Speed(trials[i]) <= Speed(trials[*decision.trial])) {
      continue;
    }
    decision.used = trials[i].precision;
    decision.trial = i;
  }
  absl::StrAppend(&decision.reason, "; ",
                  std::string(model::PrecisionName(decision.used)),
                  " is served");
  return decision;
}

bool CouldWin(double speedup, std::span<const Trial> trials,
              const AgreementThresholds& thresholds) {
  if (speedup < kLeastSpeedup) return false;
  const Decision decision = Decide(trials, thresholds);
  return !decision.trial.has_value() ||
         speedup > Speed(trials[*decision.trial]);
}

}  // namespace deberta::server
