#include "server/flags/flags.h"

#include "absl/flags/reflection.h"

// Models.

ABSL_FLAG(std::string, models, "",
          "Models to serve: [name=]DIR[,[name=]DIR...], each a directory of\n"
          "config.json, weights and a tokenizer. The name, by which requests\n"
          "ask for the model, defaults to the directory's own. DIR:generator\n"
          "is the generator of a v3 checkpoint (generator_config.json and\n"
          "pytorch_model.generator.bin). Required.");
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
    "RESOURCE_EXHAUSTED what others leave no room for. 0: 200 MiB, or a\n"
    "quarter of the cgroup's memory limit if that is less.");
ABSL_FLAG(
    int64_t, default_deadline_ms, 60000,
    "Milliseconds after which a call fails with DEADLINE_EXCEEDED, unless\n"
    "its own deadline is earlier.");

// Network.

ABSL_FLAG(
    std::string, listen, "0.0.0.0:50051",
    "Address of the gRPC service: HOST:PORT, [IPV6]:PORT or unix:/PATH.\n"
    "[::] stands for every interface, IPv4 included; to gRPC 0.0.0.0 is\n"
    "the same. Port 0: any that is free. The umask says who may connect to\n"
    "a unix socket (077: this user); its file is removed at exit, and one\n"
    "that a killed server left is replaced.");
ABSL_FLAG(int32_t, drain_seconds, 20,
          "Seconds that accepted work has to finish after SIGTERM or SIGINT.");

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
        &absl::GetFlagReflectionHandle(FLAGS_allowed_weights),
        &absl::GetFlagReflectionHandle(FLAGS_tokenizer_profile)}},
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
        &absl::GetFlagReflectionHandle(FLAGS_default_deadline_ms)}},
      {"Network",
       {&absl::GetFlagReflectionHandle(FLAGS_listen),
        &absl::GetFlagReflectionHandle(FLAGS_drain_seconds)}},
      {"Security", {&absl::GetFlagReflectionHandle(FLAGS_tokens_file)}},
      {"Observability",
       {&absl::GetFlagReflectionHandle(FLAGS_metrics_listen),
        &absl::GetFlagReflectionHandle(FLAGS_log_calls),
        &absl::GetFlagReflectionHandle(FLAGS_otlp_endpoint),
        &absl::GetFlagReflectionHandle(FLAGS_trace_share)}},
  };
}

}  // namespace deberta::server
