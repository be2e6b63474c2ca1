#include "server/options.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "absl/flags/reflection.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/base/cgroup_limits.h"
#include "server/flags/flags.h"
#include "server/flags/help.h"
#include "server/flags/set_flags.h"

namespace deberta::server {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int64_t kMaxWaitUs = 10'000'000;
constexpr int64_t kMaxDeadlineMs = int64_t{24} * 3600 * 1000;
constexpr int kMaxDrainSeconds = 3600;
constexpr int kMaxPollSeconds = 24 * 3600;
constexpr int kMinRequestBytes = 1024;
constexpr int64_t kMaxInflightBytes = int64_t{1} << 40;
// Memory that gRPC's transports may hold together: this many largest requests,
// but not less than the floor; of a memory limit an eighth at most.
constexpr size_t kTransportRequests = 64;
constexpr size_t kTransportFloor = size_t{256} << 20;
constexpr size_t kTransportRequestsLeast = 8;

absl::Status Wrong(std::string_view flag, std::string_view expected,
                   std::string_view got) {
  std::string message = "--";
  message.append(flag).append(": expected ").append(expected);
  message.append(", got ").append(got);
  return absl::InvalidArgumentError(message);
}

absl::Status CheckRange(std::string_view flag, int64_t value, int64_t least,
                        int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Wrong(flag, absl::StrCat("a number from ", least, " to ", most),
               absl::StrCat(value));
}

absl::Status CheckShare(std::string_view flag, double value) {
  if (value >= 0 && value <= 1) return absl::OkStatus();
  return Wrong(flag, "a share from 0 to 1", absl::StrCat(value));
}

absl::Status CheckRanges() {
  constexpr int64_t kMaxInt = std::numeric_limits<int32_t>::max();
  for (const absl::Status& status :
       {CheckRange("workers", absl::GetFlag(FLAGS_workers), 0, kMaxThreads),
        CheckRange("threads_per_worker",
                   absl::GetFlag(FLAGS_threads_per_worker), 0, kMaxThreads),
        CheckRange("max_batch_tokens", absl::GetFlag(FLAGS_max_batch_tokens), 1,
                   kMaxInt),
        CheckRange("max_batch_wait_us", absl::GetFlag(FLAGS_max_batch_wait_us),
                   0, kMaxWaitUs),
        CheckRange("max_tokens", absl::GetFlag(FLAGS_max_tokens), 0, kMaxInt),
        CheckRange("max_queue_tokens", absl::GetFlag(FLAGS_max_queue_tokens), 1,
                   kMaxInt),
        CheckRange("max_request_bytes", absl::GetFlag(FLAGS_max_request_bytes),
                   kMinRequestBytes, kMaxInt),
        CheckRange("max_inflight_bytes",
                   absl::GetFlag(FLAGS_max_inflight_bytes), 0,
                   kMaxInflightBytes),
        CheckRange("default_deadline_ms",
                   absl::GetFlag(FLAGS_default_deadline_ms), 1, kMaxDeadlineMs),
        CheckRange("drain_seconds", absl::GetFlag(FLAGS_drain_seconds), 0,
                   kMaxDrainSeconds),
        CheckRange("repository_poll_seconds",
                   absl::GetFlag(FLAGS_repository_poll_seconds), 0,
                   kMaxPollSeconds),
        CheckShare("log_calls", absl::GetFlag(FLAGS_log_calls)),
        CheckShare("trace_share", absl::GetFlag(FLAGS_trace_share))}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckContradictions() {
  if (absl::GetFlag(FLAGS_max_batch_tokens) >
      absl::GetFlag(FLAGS_max_queue_tokens)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--max_batch_tokens (", absl::GetFlag(FLAGS_max_batch_tokens),
        ") must not exceed --max_queue_tokens (",
        absl::GetFlag(FLAGS_max_queue_tokens), ")"));
  }
  if (absl::GetFlag(FLAGS_trace_share) > 0 &&
      absl::GetFlag(FLAGS_otlp_endpoint).empty()) {
    return absl::InvalidArgumentError(
        "--trace_share has no use without --otlp_endpoint");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<model::WeightsFormat>> AllowedWeights() {
  const std::string flag = absl::GetFlag(FLAGS_allowed_weights);
  std::vector<model::WeightsFormat> allowed;
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(flag, ','))) {
    const std::optional<model::WeightsFormat> format =
        model::WeightsFormatNamed(name);
    if (!format.has_value()) {
      return Wrong("allowed_weights",
                   "some of safetensors,torch,hdf5, with commas between",
                   absl::StrCat("\"", flag, "\""));
    }
    allowed.push_back(*format);
  }
  return allowed;
}

absl::StatusOr<Address> AddressOf(const absl::CommandLineFlag& flag) {
  absl::StatusOr<Address> address = ParseAddress(flag.CurrentValue());
  if (address.ok()) return address;
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag.Name(), ": ", address.status().message()));
}

struct Addresses {
  Address listen;
  std::optional<Address> metrics_listen;
};

absl::StatusOr<Addresses> ReadAddresses() {
  absl::StatusOr<Address> listen =
      AddressOf(absl::GetFlagReflectionHandle(FLAGS_listen));
  if (!listen.ok()) return listen.status();
  if (absl::GetFlag(FLAGS_metrics_listen).empty())
    return Addresses{*std::move(listen), std::nullopt};
  absl::StatusOr<Address> metrics_listen =
      AddressOf(absl::GetFlagReflectionHandle(FLAGS_metrics_listen));
  if (!metrics_listen.ok()) return metrics_listen.status();
  if (*listen == *metrics_listen && (listen->is_unix() || listen->port != 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen and --metrics_listen must differ, both are ",
                     listen->ToString()));
  }
  return Addresses{*std::move(listen), *std::move(metrics_listen)};
}

absl::StatusOr<std::vector<ModelSource>> Models() {
  const std::string repository = absl::GetFlag(FLAGS_model_repository);
  std::error_code error;
  if (!repository.empty() && !std::filesystem::is_directory(repository, error))
    return Wrong("model_repository", "a directory", repository);
  const std::string models = absl::GetFlag(FLAGS_models);
  if (models.empty() && !repository.empty()) return std::vector<ModelSource>();
  return ParseModels(models);
}

absl::Duration RepositoryPoll() {
  const int seconds = absl::GetFlag(FLAGS_repository_poll_seconds);
  return seconds == 0 ? absl::InfiniteDuration() : absl::Seconds(seconds);
}

// Where spans go; "" without an endpoint.
absl::StatusOr<std::string> OtlpUrl() {
  const std::string endpoint = absl::GetFlag(FLAGS_otlp_endpoint);
  if (endpoint.empty()) return "";
  absl::string_view rest = endpoint;
  const bool http = absl::ConsumePrefix(&rest, "http://");
  const absl::StatusOr<Address> address = ParseAddress(rest);
  // A host of these characters cannot say more than its name.
  constexpr char kHost[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:";
  if (!http || !address.ok() || address->is_unix() || address->port == 0 ||
      address->host.find_first_not_of(kHost) != std::string::npos) {
    return Wrong("otlp_endpoint", "http://HOST:PORT or http://[IPV6]:PORT",
                 absl::StrCat("\"", endpoint, "\""));
  }
  return absl::StrCat("http://", address->ToString(), "/v1/traces");
}

absl::StatusOr<std::optional<tokenizer::Profile>> TokenizerProfile() {
  const std::string name = absl::GetFlag(FLAGS_tokenizer_profile);
  auto profile = tokenizer::ParseProfileOrAuto(name);
  if (profile.ok()) return profile;
  return Wrong("tokenizer_profile", "auto, hf4, hf5 or spm",
               absl::StrCat("\"", name, "\""));
}

absl::StatusOr<WantedPrecision> Precision() {
  const std::string name = absl::GetFlag(FLAGS_precision);
  if (name == "auto") return WantedPrecision(std::nullopt);
  const absl::StatusOr<model::Precision> precision =
      model::ParsePrecision(name);
  if (precision.ok()) return WantedPrecision(*precision);
  return Wrong("precision", "fp32, bf16, int8 or auto",
               absl::StrCat("\"", name, "\""));
}

absl::StatusOr<AgreementThresholds> Thresholds() {
  const double agreement = absl::GetFlag(FLAGS_min_label_agreement);
  const double change = absl::GetFlag(FLAGS_max_logit_change);
  if (absl::Status s = CheckShare("min_label_agreement", agreement); !s.ok())
    return s;
  if (!(change >= 0 && std::isfinite(change))) {
    return Wrong("max_logit_change", "a number from 0", absl::StrCat(change));
  }
  return AgreementThresholds{.min_label_agreement = agreement,
                             .max_logit_change = change};
}

std::optional<size_t> MaxTokens() {
  const int flag = absl::GetFlag(FLAGS_max_tokens);
  if (flag == 0) return std::nullopt;
  return static_cast<size_t>(flag);
}

std::optional<size_t> RequestedInflightBytes() {
  const int64_t flag = absl::GetFlag(FLAGS_max_inflight_bytes);
  if (flag > 0) return static_cast<size_t>(flag);
  return std::nullopt;
}

size_t TransportBytes(std::optional<size_t> memory_limit) {
  const auto request =
      static_cast<size_t>(absl::GetFlag(FLAGS_max_request_bytes));
  const size_t usual = std::max(kTransportFloor, kTransportRequests * request);
  if (!memory_limit.has_value()) return usual;
  const size_t least = std::min(usual, kTransportRequestsLeast * request);
  return std::clamp(*memory_limit / 8, least, usual);
}

void AnswerHelpAndVersion(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-help" || argument == "-h") {
      std::fputs(HelpText().c_str(), stdout);
      std::exit(0);
    }
    if (argument == "--version" || argument == "-version") {
      std::puts("deberta-server " DEBERTA_VERSION);
      std::exit(0);
    }
  }
}

// How many threads compute, and how they are shared.
struct ThreadPlan {
  int threads = 1;
  bool fixed = false;  // by flags, whatever CPUs there are
  int most = 1;        // where CPUs are added
  int workers = 1;
  int team = 1;
};

absl::StatusOr<ThreadPlan> PlanThreads(const MachineLimits& limits) {
  const int workers = absl::GetFlag(FLAGS_workers);
  const int team = absl::GetFlag(FLAGS_threads_per_worker);
  ThreadPlan plan;
  plan.fixed = workers > 0 && team > 0;
  plan.threads = plan.fixed ? workers * team : ThreadsFor(limits.cpus);
  if (plan.threads > kMaxThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("--workers (", workers, ") times --threads_per_worker (",
                     team, ") must not exceed ", kMaxThreads, ", they make ",
                     plan.threads, " threads"));
  }
  plan.most = plan.fixed ? plan.threads
                         : std::clamp(limits.online_cpus, plan.threads,
                                      std::max(plan.threads, kMaxThreads));
  plan.workers = workers > 0 ? workers : plan.most;
  plan.team = team > 0 ? team : plan.most;
  return plan;
}

absl::StatusOr<LoadOptions> Loading(const MachineLimits& limits,
                                    const ThreadPlan& plan,
                                    size_t inflight_bytes) {
  absl::StatusOr<std::vector<model::WeightsFormat>> allowed = AllowedWeights();
  if (!allowed.ok()) return allowed.status();
  const auto profile = TokenizerProfile();
  if (!profile.ok()) return profile.status();
  const absl::StatusOr<WantedPrecision> precision = Precision();
  if (!precision.ok()) return precision.status();
  const auto products = model::ParseProducts(absl::GetFlag(FLAGS_products));
  if (!products.ok()) return products.status();
  const absl::StatusOr<AgreementThresholds> thresholds = Thresholds();
  if (!thresholds.ok()) return thresholds.status();
  return LoadOptions{
      .threads = plan.threads,
      .precision = {.wanted = *precision,
                    .thresholds = *thresholds,
                    .keep_fp32 = absl::GetFlag(FLAGS_keep_fp32),
                    .threads = std::min(plan.team, plan.threads)},
      .products = *products,
      .tokenizer_profile = *profile,
      .max_tokens = MaxTokens(),
      .max_queue_tokens =
          static_cast<size_t>(absl::GetFlag(FLAGS_max_queue_tokens)),
      .batches = static_cast<size_t>(plan.workers),
      .allowed_weights = *std::move(allowed),
      // What one call may hold: see Admission.
      .max_request_memory = inflight_bytes / 4 * 3,
      .memory_bytes = limits.memory_bytes};
}

}  // namespace

absl::StatusOr<Options> OptionsFromFlags(const MachineLimits& limits) {
  if (absl::Status s = CheckRanges(); !s.ok()) return s;
  if (absl::Status s = CheckContradictions(); !s.ok()) return s;
  absl::StatusOr<Addresses> addresses = ReadAddresses();
  if (!addresses.ok()) return addresses.status();
  absl::StatusOr<std::vector<ModelSource>> models = Models();
  if (!models.ok()) return models.status();
  const absl::StatusOr<ThreadPlan> plan = PlanThreads(limits);
  if (!plan.ok()) return plan.status();
  const std::optional<size_t> requested = RequestedInflightBytes();
  const size_t inflight_bytes = requested.value_or(kDefaultInflightBytes);
  absl::StatusOr<LoadOptions> loading = Loading(limits, *plan, inflight_bytes);
  if (!loading.ok()) return loading.status();
  absl::StatusOr<std::string> otlp_url = OtlpUrl();
  if (!otlp_url.ok()) return otlp_url.status();
  absl::StatusOr<ConnectionOptions> connections = ConnectionOptionsFromFlags();
  if (!connections.ok()) return connections.status();
  return Options{
      .models = *std::move(models),
      .model_repository = absl::GetFlag(FLAGS_model_repository),
      .repository_poll = RepositoryPoll(),
      .loading = *std::move(loading),
      .listen = std::move(addresses->listen),
      .metrics_listen = std::move(addresses->metrics_listen),
      .tokens_file = absl::GetFlag(FLAGS_tokens_file),
      .connections = *std::move(connections),
      .log_calls = absl::GetFlag(FLAGS_log_calls),
      .otlp_url = *std::move(otlp_url),
      .trace_share = absl::GetFlag(FLAGS_trace_share),
      .cgroup_root = absl::GetFlag(FLAGS_cgroup_root),
      .cpus = limits.cpus,
      .threads = plan->threads,
      .threads_fixed = plan->fixed,
      .most_threads = plan->most,
      .workers = plan->workers,
      .threads_per_worker = plan->team,
      .max_batch_tokens =
          static_cast<size_t>(absl::GetFlag(FLAGS_max_batch_tokens)),
      .max_batch_wait =
          absl::Microseconds(absl::GetFlag(FLAGS_max_batch_wait_us)),
      .max_queue_tokens =
          static_cast<size_t>(absl::GetFlag(FLAGS_max_queue_tokens)),
      .max_request_bytes = absl::GetFlag(FLAGS_max_request_bytes),
      .requested_inflight_bytes = requested,
      .max_inflight_bytes = inflight_bytes,
      .transport_bytes = TransportBytes(limits.memory_bytes),
      .max_call_time =
          absl::Milliseconds(absl::GetFlag(FLAGS_default_deadline_ms)),
      .drain_time = absl::Seconds(absl::GetFlag(FLAGS_drain_seconds))};
}

absl::StatusOr<Options> ParseOptions(int argc, char** argv) {
  AnswerHelpAndVersion(argc, argv);
  if (absl::Status s = SetFlags(argc, argv); !s.ok()) return s;
  const Cgroup cgroup(absl::GetFlag(FLAGS_cgroup_root));
  return OptionsFromFlags(
      {.cpus = UsableCpus(cgroup),
       .online_cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)),
       .memory_bytes = cgroup.MemoryLimit()});
}

}  // namespace deberta::server
