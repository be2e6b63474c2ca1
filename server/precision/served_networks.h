// Which of a model's networks is served, of those that its directory gives in
// several precisions.

#ifndef SERVER_PRECISION_SERVED_NETWORKS_H_
#define SERVER_PRECISION_SERVED_NETWORKS_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/gemm/precision.h"
#include "model/model.h"
#include "server/precision/agreement.h"

namespace deberta::server {

// None: auto.
using WantedPrecision = std::optional<model::Precision>;

// "fp32", "bf16", "int8" or "auto".
std::string_view WantedPrecisionName(WantedPrecision wanted);

// What was asked for, and what may come of it.
struct PrecisionPolicy {
  WantedPrecision wanted = model::Precision::kFp32;
  AgreementThresholds thresholds = {};
  // Keep fp32 in memory beside a lower precision.
  bool keep_fp32 = false;
  // Of one batch, as it will be served.
  int threads = 1;
};

struct ServedNetworks {
  std::unique_ptr<const model::Model> served;
  // The same in fp32; null if it is what is served, or was not kept.
  std::unique_ptr<const model::Model> fp32;
  // The figures that led here, or the instructions that are not there; empty if
  // fp32 was asked for.
  std::string note;
  // Of `served`; none if it is fp32.
  std::optional<Agreement> agreement;
};

using NetworkLoader =
    std::function<absl::StatusOr<std::unique_ptr<const model::Model>>(
        model::Precision)>;

// A precision that is asked for is served if it agrees with fp32, whatever
// its speed; auto takes the fastest that agrees and is worth it; otherwise fp32
// is served. While a precision is compared both are in memory. `load` gives the
// network of `fp32` in other precisions; its errors, and those of `calibrate`,
// are returned.
absl::StatusOr<ServedNetworks> ChooseNetworks(
    std::unique_ptr<const model::Model> fp32, const NetworkLoader& load,
    const std::function<absl::StatusOr<Calibration>()>& calibrate,
    const PrecisionPolicy& policy);

}  // namespace deberta::server

#endif  // SERVER_PRECISION_SERVED_NETWORKS_H_
