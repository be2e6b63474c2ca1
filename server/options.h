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
#include "server/base/address.h"
#include "server/connection_options.h"
#include "server/models/load_options.h"
#include "server/models/model_source.h"

namespace deberta::server {

struct Options {
  std::vector<ModelSource> models;  // names differ
  // Empty: none. Never so if there are no models.
  std::string model_repository = {};
  absl::Duration repository_poll = absl::InfiniteDuration();
  LoadOptions loading = {};
  Address listen = {};
  std::optional<Address> metrics_listen = {};  // none: no metrics
  std::string tokens_file = {};                // "": anyone may call
  ConnectionOptions connections = {};
  double log_calls = 0;       // share of calls, 0 to 1
  std::string otlp_url = {};  // "": no spans are exported
  double trace_share = 0;     // of calls without a traceparent, 0 to 1
  std::string cgroup_root = {};
  double cpus = 1;             // that may be used, a fraction possibly
  int threads = 1;             // that compute
  bool threads_fixed = false;  // by flags, whatever CPUs there are
  int most_threads = 1;        // where CPUs are added
  int workers = 1;             // batches computed at once
  int threads_per_worker = 1;  // most of one batch
  size_t max_batch_tokens = 0;
  absl::Duration max_batch_wait;
  size_t max_queue_tokens = 0;
  int max_request_bytes = 0;
  // Of calls: as asked for, and the most that it may be.
  std::optional<size_t> requested_inflight_bytes = {};
  size_t max_inflight_bytes = 0;
  // That gRPC may hold of requests that arrive.
  size_t transport_bytes = 0;
  absl::Duration max_call_time;
  absl::Duration drain_time;
};

// Of --max_inflight_bytes, where memory leaves as much.
inline constexpr size_t kDefaultInflightBytes = size_t{200} << 20;

// What numbers of threads and bytes are chosen from.
struct MachineLimits {
  double cpus = 1;
  int online_cpus = 1;  // that may be added while the server runs
  std::optional<size_t> memory_bytes = {};  // none without a limit
};

// The options that the flags hold now. InvalidArgument names the flag, what was
// expected and what was got.
absl::StatusOr<Options> OptionsFromFlags(const MachineLimits& limits);

// Sets the flags from the environment (DEBERTA_<NAME>, empty counts as unset)
// and then from the command line. Prints and exits for --help and --version.
absl::StatusOr<Options> ParseOptions(int argc, char** argv);

}  // namespace deberta::server

#endif  // SERVER_OPTIONS_H_
