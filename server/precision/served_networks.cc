#include "server/precision/served_networks.h"

#include <malloc.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/stopwatch.h"
#include "server/precision/decision.h"

namespace deberta::server {
namespace {

using model::Precision;

constexpr size_t kTimedTokens = 256;
constexpr int kTimedRuns = 5;

// The precisions to try, the one expected to be fastest first.
std::vector<Precision> Candidates(WantedPrecision wanted,
                                  const model::Config& config,
                                  std::string* why_none) {
  std::vector<Precision> candidates;
  if (wanted == Precision::kFp32) return candidates;
  const auto add = [&](Precision precision) {
    const std::string why = model::ChoosePrecision(precision, config).reason;
    if (why.empty()) {
      candidates.push_back(precision);
    } else {
      absl::StrAppend(why_none, why_none->empty() ? "" : "; ", why);
    }
  };
  if (wanted.has_value()) {
    add(*wanted);
  } else {
    add(Precision::kInt8);
    add(Precision::kBf16);
  }
  return candidates;
}

absl::StatusOr<absl::Duration> TimeOf(const model::Model& model,
                                      const model::RaggedBatch& batch,
                                      model::Workspace& workspace) {
  model::BatchOutput output;
  const Stopwatch watch;
  if (absl::Status s = model.Forward(batch, workspace, &output); !s.ok())
    return s;
  return watch.elapsed();
}

absl::Duration Median(std::vector<absl::Duration> times) {
  std::nth_element(times.begin(), times.begin() + kTimedRuns / 2, times.end());
  return times[kTimedRuns / 2];
}

// Time of `fp32` over that of `other`, in turns: what else the machine does
// then slows both.
absl::StatusOr<double> Speedup(const model::Model& fp32,
                               const model::Model& other,
                               const model::RaggedBatch& batch,
                               model::Workspace& workspace) {
  std::vector<absl::Duration> fp32_times;
  std::vector<absl::Duration> other_times;
  for (int run = -1; run < kTimedRuns; ++run) {  // the first warms up
    const auto fp32_time = TimeOf(fp32, batch, workspace);
    if (!fp32_time.ok()) return fp32_time.status();
    const auto other_time = TimeOf(other, batch, workspace);
    if (!other_time.ok()) return other_time.status();
    if (run < 0) continue;
    fp32_times.push_back(*fp32_time);
    other_times.push_back(*other_time);
  }
  return absl::FDivDuration(Median(std::move(fp32_times)),
                            Median(std::move(other_times)));
}

// What is measured of one precision, as far as it can still be chosen.
absl::StatusOr<Trial> Try(const model::Model& fp32, const model::Model& other,
                          const Calibration& calibration,
                          std::span<const Trial> earlier,
                          const PrecisionPolicy& policy,
                          model::Workspace& workspace) {
  Trial trial;
  if (!policy.wanted.has_value()) {
    const absl::StatusOr<double> speedup =
        Speedup(fp32, other, FirstInputs(calibration, kTimedTokens), workspace);
    if (!speedup.ok()) return speedup.status();
    trial.speedup = *speedup;
    if (!CouldWin(*speedup, earlier, policy.thresholds)) return trial;
  }
  absl::StatusOr<Agreement> agreement =
      CompareModels(fp32, other, calibration, workspace);
  if (!agreement.ok()) return agreement.status();
  trial.agreement = *agreement;
  return trial;
}

// Tries `candidates` in turn; sets what is served unless fp32 is.
absl::Status TryAll(std::span<const Precision> candidates,
                    const model::Model& fp32, const NetworkLoader& load,
                    const Calibration& calibration,
                    const PrecisionPolicy& policy, ServedNetworks* networks) {
  model::Workspace workspace(policy.threads);
  std::vector<Trial> trials;
  for (const Precision precision : candidates) {
    absl::StatusOr<std::unique_ptr<const model::Model>> other = load(precision);
    if (!other.ok()) return other.status();
    absl::StatusOr<Trial> trial =
        Try(fp32, **other, calibration, trials, policy, workspace);
    if (!trial.ok()) return trial.status();
    trial->precision = precision;
    trials.push_back(*std::move(trial));
    const Decision decision = Decide(trials, policy.thresholds);
    networks->note = decision.reason;
    if (decision.trial != trials.size() - 1) continue;
    networks->served = *std::move(other);
    networks->agreement = trials.back().agreement;
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view WantedPrecisionName(WantedPrecision wanted) {
  return wanted.has_value() ? model::PrecisionName(*wanted) : "auto";
}

absl::StatusOr<ServedNetworks> ChooseNetworks(
    std::unique_ptr<const model::Model> fp32, const NetworkLoader& load,
    const std::function<absl::StatusOr<Calibration>()>& calibrate,
    const PrecisionPolicy& policy) {
  ServedNetworks networks;
  const std::vector<Precision> candidates =
      Candidates(policy.wanted, fp32->config(), &networks.note);
  if (candidates.empty()) {
    networks.served = std::move(fp32);
    return networks;
  }
  const absl::StatusOr<Calibration> calibration = calibrate();
  if (!calibration.ok()) return calibration.status();
  if (absl::Status s =
          TryAll(candidates, *fp32, load, *calibration, policy, &networks);
      !s.ok()) {
    return s;
  }
  if (networks.served == nullptr) {
    networks.served = std::move(fp32);
  } else if (policy.keep_fp32) {
    networks.fp32 = std::move(fp32);
  }
  fp32.reset();
  // Else the heap would go on holding what the networks left out took.
  malloc_trim(0);
  return networks;
}

}  // namespace deberta::server
