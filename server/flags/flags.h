// The flags of deberta-server, in the groups of --help.
//
// Each may also be set in the environment, as DEBERTA_<NAME>. What their values
// may be is checked in options.cc.

#ifndef SERVER_FLAGS_FLAGS_H_
#define SERVER_FLAGS_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/declare.h"
#include "absl/flags/flag.h"

ABSL_DECLARE_FLAG(std::string, models);
ABSL_DECLARE_FLAG(std::string, model_repository);
ABSL_DECLARE_FLAG(int32_t, repository_poll_seconds);
ABSL_DECLARE_FLAG(std::string, allowed_weights);
ABSL_DECLARE_FLAG(std::string, tokenizer_profile);
ABSL_DECLARE_FLAG(int32_t, max_tokens);
ABSL_DECLARE_FLAG(std::string, precision);
ABSL_DECLARE_FLAG(std::string, products);
ABSL_DECLARE_FLAG(double, min_label_agreement);
ABSL_DECLARE_FLAG(double, max_logit_change);
ABSL_DECLARE_FLAG(bool, keep_fp32);
ABSL_DECLARE_FLAG(int32_t, workers);
ABSL_DECLARE_FLAG(int32_t, threads_per_worker);
ABSL_DECLARE_FLAG(int32_t, max_batch_tokens);
ABSL_DECLARE_FLAG(int64_t, max_batch_wait_us);
ABSL_DECLARE_FLAG(int32_t, max_queue_tokens);
ABSL_DECLARE_FLAG(int32_t, max_request_bytes);
ABSL_DECLARE_FLAG(int64_t, max_inflight_bytes);
ABSL_DECLARE_FLAG(int64_t, default_deadline_ms);
ABSL_DECLARE_FLAG(std::string, cgroup_root);
ABSL_DECLARE_FLAG(std::string, listen);
ABSL_DECLARE_FLAG(int32_t, drain_seconds);
ABSL_DECLARE_FLAG(std::string, tokens_file);
ABSL_DECLARE_FLAG(std::string, health_listen);
ABSL_DECLARE_FLAG(bool, reflection);
ABSL_DECLARE_FLAG(bool, allow_compression);
ABSL_DECLARE_FLAG(int32_t, max_connections);
ABSL_DECLARE_FLAG(int32_t, max_connections_per_peer);
ABSL_DECLARE_FLAG(int32_t, max_streams);
ABSL_DECLARE_FLAG(int32_t, max_metadata_bytes);
ABSL_DECLARE_FLAG(int32_t, max_resets_per_second);
ABSL_DECLARE_FLAG(int32_t, stall_seconds);
ABSL_DECLARE_FLAG(int32_t, max_connection_idle_seconds);
ABSL_DECLARE_FLAG(int32_t, max_connection_age_seconds);
ABSL_DECLARE_FLAG(int32_t, max_connection_age_grace_seconds);
ABSL_DECLARE_FLAG(std::string, tls_cert_file);
ABSL_DECLARE_FLAG(std::string, tls_key_file);
ABSL_DECLARE_FLAG(std::string, tls_client_ca_file);
ABSL_DECLARE_FLAG(std::string, metrics_listen);
ABSL_DECLARE_FLAG(double, log_calls);
ABSL_DECLARE_FLAG(std::string, otlp_endpoint);
ABSL_DECLARE_FLAG(double, trace_share);

namespace deberta::server {

struct FlagGroup {
  const char* title;
  std::vector<const absl::CommandLineFlag*> flags;
};

// Every flag once, in the order of --help.
std::vector<FlagGroup> FlagGroups();

}  // namespace deberta::server

#endif  // SERVER_FLAGS_FLAGS_H_
