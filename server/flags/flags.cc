#include "server/flags/flags.h"

#include "absl/flags/reflection.h"

// Models.

ABSL_FLAG(std::string, models, "",
          "Models to serve: [name=]DIR[,[name=]DIR...], each a directory of\n"
          "config.json, weights and a tokenizer. The name, by which requests\n"
          "ask for the model, defaults to the directory's own. DIR:generator\n"
          "is the generator of a v3 checkpoint (generator_config.json and\n"
          "pytorch_model.generator.bin). This or --model_repository is\n"
          "required.");
ABSL_FLAG(
    std::string, model_repository, "",
    "Directory whose directories are models too, by their names: loaded,\n"
    "replaced and removed while the server runs, as they come, change\n"
    "and go. Of one that holds directories named 1, 2, ... the highest\n"
    "that loads is served. Changes are seen by polling and on SIGHUP.");
ABSL_FLAG(int32_t, repository_poll_seconds, 15,
          "Seconds between two looks at the repository; what two looks in a\n"
          "row see alike is loaded. 0: only SIGHUP counts, at once.");
ABSL_FLAG(
    std::string, allowed_weights, "safetensors,torch,hdf5",
    "Weight files that may be read: safetensors, torch\n"
    "(pytorch_model.bin), hdf5 (tf_model.h5). The first that a directory\n"
    "has is used.");
ABSL_FLAG(std::string, tokenizer_profile, "auto",
          "Whose tokenizers to equal: hf4 (transformers 4), hf5 (transformers\n"
          "5), spm (SentencePiece), or auto: of the version of transformers\n"
          "that saved the directory. \"tokenizer_profile\" in a model's\n"
          "deberta.json goes before it.");

ABSL_FLAG(
    int32_t, max_tokens, 0,
    "Most tokens of one sequence, special ones included, of every model;\n"
    "longer inputs are refused, cut or read in windows of so many. It may be\n"
    "above the 512 or so that models were trained with, up to\n"
    "--max_queue_tokens, where positions are relative alone; another model\n"
    "is then not loaded. 0: the model's max_position_embeddings or its\n"
    "tokenizer's model_max_length, if that is less. \"max_tokens\" in a\n"
    "model's deberta.json goes before it.");

// Precision.

ABSL_FLAG(std::string, precision, "fp32",
          "Arithmetic of the models: fp32, bf16, int8, or auto, the fastest\n"
          "that answers as fp32 does. At its start the server compares each\n"
          "lower precision with fp32 on the texts of \"calibration\" in the\n"
          "model's deberta.json, else on its own, and serves fp32 where they\n"
          "differ more than the next two flags allow. The log says what is\n"
          "served and why, also where the processor lacks the instructions\n"
          "(AVX512_BF16 for bf16).");
ABSL_FLAG(
    std::string, products, "auto",
    "Who computes matrix products: own (this program; without AMX oneDNN\n"
    "for bf16 and int8), onednn, or auto: own, and oneDNN where that is\n"
    "as fast, by which last bits may differ from start to start.");
ABSL_FLAG(
    double, min_label_agreement, 0.99,
    "Least share, from 0 to 1, of the labels of these texts that a lower\n"
    "precision must have in common with fp32.");
ABSL_FLAG(double, max_logit_change, 0,
          "Most that a lower precision may change a logit of these texts. 0:\n"
          "any change.");
ABSL_FLAG(bool, keep_fp32, false,
          "Keep fp32 in memory beside a lower precision, with a queue of its\n"
          "own, for calls with the metadata x-deberta-precision: fp32.");

// Batching.

ABSL_FLAG(int32_t, workers, 0,
          "Most batches computed at once. 0: as many as threads. There is a\n"
          "thread for each CPU that affinity and the cgroup's quota leave, or\n"
          "--workers times --threads_per_worker where both are given. Each\n"
          "takes a batch that waits, or else helps with one that runs.");
ABSL_FLAG(int32_t, threads_per_worker, 0,
          "Most threads that compute one batch. 0: all.");
ABSL_FLAG(int32_t, max_batch_tokens, 1024,
          "Most tokens of one batch. A longer sequence runs alone.");
ABSL_FLAG(int64_t, max_batch_wait_us, 0,
          "Microseconds that a batch with room waits for company. 0: run what\n"
          "is there as soon as a thread is free.");

// Limits.

ABSL_FLAG(int32_t, max_queue_tokens, 32768,
          "Most tokens that wait for one model; more are refused with\n"
          "RESOURCE_EXHAUSTED.");
ABSL_FLAG(int32_t, max_request_bytes, 4 << 20,
          "Largest request accepted, in bytes.");
ABSL_FLAG(
    int64_t, max_inflight_bytes, 0,
    "Memory that calls may hold together, in bytes: their texts, tokens,\n"
    "outputs and answers, until these are sent. One call may hold three\n"
    "quarters of it; more is refused with INVALID_ARGUMENT, and with\n"
    "RESOURCE_EXHAUSTED what others leave no room for. 0: 200 MiB, or what\n"
    "the cgroup's memory limit leaves beside models and connections.");
ABSL_FLAG(
    int64_t, default_deadline_ms, 60000,
    "Milliseconds after which a call fails with DEADLINE_EXCEEDED, unless\n"
    "its own deadline is earlier.");
ABSL_FLAG(std::string, cgroup_root, "/sys/fs/cgroup",
          "Where cgroups are mounted; limits of memory and CPUs are read\n"
          "there, those of CPUs again every two seconds.");

// Network.

ABSL_FLAG(
    std::string, listen, "0.0.0.0:50051",
    "Address of the gRPC service: HOST:PORT, [IPV6]:PORT or unix:/PATH.\n"
    "[::] and 0.0.0.0 stand for every interface, of both IPv4 and IPv6. Port "
    "0: any that is free. The umask says who may connect to\n"
    "a unix socket (077: this user); its file is removed at exit, and one\n"
    "that a killed server left is replaced.");
ABSL_FLAG(int32_t, drain_seconds, 20,
          "Seconds that accepted work has to finish after SIGTERM or SIGINT.");
ABSL_FLAG(std::string, health_listen, "",
          "A second address, plaintext, that serves grpc.health.v1 alone, for\n"
          "probes. Empty: none.");
ABSL_FLAG(bool, reflection, true, "Whether server reflection is served.");

// Connections.

ABSL_FLAG(int32_t, max_connections, 1024,
          "Most connections open at once; more are closed as they come.");
ABSL_FLAG(
    int32_t, max_connections_per_peer, 256,
    "Of these, most of one IPv4 address or IPv6 /64. Unix sockets have no\n"
    "such limit.");
ABSL_FLAG(int32_t, max_streams, 1024,
          "Most calls open at once on one connection; eight times as many on\n"
          "all together.");
ABSL_FLAG(
    int32_t, max_resets_per_second, 1000,
    "Most calls a second that a client may give up before their answers,\n"
    "on one connection; twice as many at once. One peer's connections may\n"
    "have four times that together. Over it the connection is closed.");
ABSL_FLAG(int32_t, max_metadata_bytes, 16 << 10,
          "Most metadata of a call, in bytes; one with more fails with\n"
          "RESOURCE_EXHAUSTED. Eight times as much ends the connection.");
ABSL_FLAG(
    bool, allow_compression, false,
    "Whether requests may be compressed, with gzip; they are unpacked to\n"
    "--max_request_bytes at most. Without, such a call fails with\n"
    "UNIMPLEMENTED.");
ABSL_FLAG(int32_t, stall_seconds, 20,
          "Seconds that an answer waits for a client that does not read it;\n"
          "then the call, or the connection, is closed.");
ABSL_FLAG(
    int32_t, max_connection_idle_seconds, 0,
    "Seconds after which a connection without calls is closed. 0: never.");
ABSL_FLAG(int32_t, max_connection_age_seconds, 1800,
          "Seconds, give or take a tenth, after which a connection is to be\n"
          "replaced by a new one, so that load balancers balance. 0: never.");
ABSL_FLAG(
    int32_t, max_connection_age_grace_seconds, 60,
    "Seconds that the calls of such a connection then have to finish. 0:\n"
    "as long as they take.");

// Security.

ABSL_FLAG(std::string, tls_cert_file, "",
          "PEM file of the certificate, with its chain. Set, --listen is TLS\n"
          "(1.2 or newer). It is read again when it changes.");
ABSL_FLAG(std::string, tls_key_file, "", "PEM file of the certificate's key.");
ABSL_FLAG(
    std::string, tls_client_ca_file, "",
    "PEM file of authorities. Set, clients need a certificate that one of\n"
    "them has signed.");

// Security.

ABSL_FLAG(std::string, tokens_file, "",
          "Who may call: a JSON file of tokens' SHA-256 with their names,\n"
          "models, rates and priorities (docs/security.md). Read again when\n"
          "it changes. Empty: anyone may. Health is open to all.");

// Observability.

ABSL_FLAG(std::string, metrics_listen, "0.0.0.0:9090",
          "Address of GET /metrics, as for --listen; 0.0.0.0 is IPv4 alone.\n"
          "Empty: none.");
ABSL_FLAG(
    double, log_calls, 0,
    "Share of calls, from 0 to 1, that get a line in the log: method,\n"
    "model, code, caller, tokens and times, and the trace of a call with\n"
    "the metadata traceparent. Never texts.");
ABSL_FLAG(
    std::string, otlp_endpoint, "",
    "Collector of traces: http://HOST:PORT, which takes OTLP as JSON at\n"
    "/v1/traces. It gets the spans of calls whose traceparent is sampled.\n"
    "Empty: none.");
ABSL_FLAG(double, trace_share, 0,
          "Share, from 0 to 1, of the calls without a traceparent of which it\n"
          "gets spans too.");

namespace deberta::server {

std::vector<FlagGroup> FlagGroups() {
  return {
      {"Models",
       {&absl::GetFlagReflectionHandle(FLAGS_models),
        &absl::GetFlagReflectionHandle(FLAGS_model_repository),
        &absl::GetFlagReflectionHandle(FLAGS_repository_poll_seconds),
        &absl::GetFlagReflectionHandle(FLAGS_allowed_weights),
        &absl::GetFlagReflectionHandle(FLAGS_tokenizer_profile),
        &absl::GetFlagReflectionHandle(FLAGS_max_tokens)}},
      {"Precision",
       {&absl::GetFlagReflectionHandle(FLAGS_precision),
        &absl::GetFlagReflectionHandle(FLAGS_products),
        &absl::GetFlagReflectionHandle(FLAGS_min_label_agreement),
        &absl::GetFlagReflectionHandle(FLAGS_max_logit_change),
        &absl::GetFlagReflectionHandle(FLAGS_keep_fp32)}},
      {"Batching",
       {&absl::GetFlagReflectionHandle(FLAGS_workers),
        &absl::GetFlagReflectionHandle(FLAGS_threads_per_worker),
        &absl::GetFlagReflectionHandle(FLAGS_max_batch_tokens),
        &absl::GetFlagReflectionHandle(FLAGS_max_batch_wait_us)}},
      {"Limits",
       {&absl::GetFlagReflectionHandle(FLAGS_max_queue_tokens),
        &absl::GetFlagReflectionHandle(FLAGS_max_request_bytes),
        &absl::GetFlagReflectionHandle(FLAGS_max_inflight_bytes),
        &absl::GetFlagReflectionHandle(FLAGS_default_deadline_ms),
        &absl::GetFlagReflectionHandle(FLAGS_cgroup_root)}},
      {"Network",
       {&absl::GetFlagReflectionHandle(FLAGS_listen),
        &absl::GetFlagReflectionHandle(FLAGS_health_listen),
        &absl::GetFlagReflectionHandle(FLAGS_reflection),
        &absl::GetFlagReflectionHandle(FLAGS_drain_seconds)}},
      {"Connections",
       {&absl::GetFlagReflectionHandle(FLAGS_max_connections),
        &absl::GetFlagReflectionHandle(FLAGS_max_connections_per_peer),
        &absl::GetFlagReflectionHandle(FLAGS_max_streams),
        &absl::GetFlagReflectionHandle(FLAGS_max_resets_per_second),
        &absl::GetFlagReflectionHandle(FLAGS_max_metadata_bytes),
        &absl::GetFlagReflectionHandle(FLAGS_allow_compression),
        &absl::GetFlagReflectionHandle(FLAGS_stall_seconds),
        &absl::GetFlagReflectionHandle(FLAGS_max_connection_idle_seconds),
        &absl::GetFlagReflectionHandle(FLAGS_max_connection_age_seconds),
        &absl::GetFlagReflectionHandle(
            FLAGS_max_connection_age_grace_seconds)}},
      {"Security",
       {&absl::GetFlagReflectionHandle(FLAGS_tls_cert_file),
        &absl::GetFlagReflectionHandle(FLAGS_tls_key_file),
        &absl::GetFlagReflectionHandle(FLAGS_tls_client_ca_file),
        &absl::GetFlagReflectionHandle(FLAGS_tokens_file)}},
      {"Observability",
       {&absl::GetFlagReflectionHandle(FLAGS_metrics_listen),
        &absl::GetFlagReflectionHandle(FLAGS_log_calls),
        &absl::GetFlagReflectionHandle(FLAGS_otlp_endpoint),
        &absl::GetFlagReflectionHandle(FLAGS_trace_share)}},
  };
}

}  // namespace deberta::server
