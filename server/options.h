// What the server is told at its start, by flags and the environment.

#ifndef SERVER_OPTIONS_H_
#define SERVER_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/checkpoint/weight_files.h"
#include "model/gemm/precision.h"
#include "model/gemm/products.h"
#include "server/base/address.h"
#include "server/models/model_source.h"
#include "server/precision/served_networks.h"
#include "tokenizer/profile.h"

namespace deberta::server {

struct Options {
  std::vector<ModelSource> models;  // never empty; names differ
  std::vector<model::WeightsFormat> allowed_weights =
      model::AllWeightsFormats();
  // Of models whose deberta.json does not say.
  // Absent ("auto"): that of the version which saved a directory.
  std::optional<tokenizer::Profile> tokenizer_profile = {};
  std::string hdf5_reader = {};  // path of deberta-read-hdf5; no flag
  Address listen = {};
  Address metrics_listen = {};
  WantedPrecision precision = model::Precision::kFp32;
  model::Products products = model::Products::kAuto;
  AgreementThresholds agreement_thresholds = {};
  bool keep_fp32 = false;
  int threads = 1;             // that compute
  int workers = 1;             // batches computed at once
  int threads_per_worker = 1;  // most of one batch
  size_t max_batch_tokens = 0;
  absl::Duration max_batch_wait;
  size_t max_queue_tokens = 0;
  int max_request_bytes = 0;
  absl::Duration max_call_time;
  absl::Duration drain_time;
};

// The options that the flags hold now. InvalidArgument names the flag, what was
// expected and what was got. `cpus` is what the numbers of threads are chosen
// from.
absl::StatusOr<Options> OptionsFromFlags(int cpus);

// Sets the flags from the environment (DEBERTA_<NAME>, empty counts as unset)
// and then from the command line. Prints and exits for --help and --version,
// and for flags that Abseil cannot parse.
absl::StatusOr<Options> ParseOptions(int argc, char** argv);

}  // namespace deberta::server

#endif  // SERVER_OPTIONS_H_
