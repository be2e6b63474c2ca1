#include "server/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include "absl/flags/reflection.h"

namespace deberta::server {
namespace {

using testing::ElementsAre;
using testing::ExitedWithCode;
using testing::HasSubstr;

// Parses a command line; flags and environment are as before afterwards.
absl::StatusOr<Options> Parse(std::vector<std::string> arguments) {
  const absl::FlagSaver saver;
  arguments.insert(arguments.begin(), "deberta-server");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return ParseOptions(static_cast<int>(arguments.size()), argv.data());
}

std::string ErrorOf(std::vector<std::string> arguments) {
  const absl::StatusOr<Options> options = Parse(std::move(arguments));
  EXPECT_FALSE(options.ok());
  return std::string(options.status().message());
}

void Set(const char* flag, const char* value) {
  std::string error;
  EXPECT_TRUE(absl::FindCommandLineFlag(flag)->ParseFrom(value, &error))
      << error;
}

class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    setenv(name, value, 1);
  }
  ~Environment() { unsetenv(name_); }

 private:
  const char* const name_;
};

TEST(OptionsTest, DefaultsAreThoseOfTheContract) {
  const auto options = Parse({"--models=/m"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->listen.ToString(), "0.0.0.0:50051");
  EXPECT_EQ(options->metrics_listen->ToString(), "0.0.0.0:9090");
  EXPECT_EQ(options->loading.precision.wanted, model::Precision::kFp32);
  EXPECT_EQ(options->loading.tokenizer_profile, std::nullopt);
  EXPECT_EQ(options->loading.allowed_weights, model::AllWeightsFormats());
  EXPECT_GE(options->workers, 1);
  EXPECT_GE(options->threads_per_worker, 1);
}

TEST(OptionsTest, ReadsFormatsAndProfile) {
  const auto options = Parse({"--models=/m", "--allowed_weights=hdf5,torch",
                              "--tokenizer_profile=spm"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_THAT(
      options->loading.allowed_weights,
      ElementsAre(model::WeightsFormat::kHdf5, model::WeightsFormat::kTorch));
  EXPECT_EQ(options->loading.tokenizer_profile, tokenizer::Profile::kSpm);
}

TEST(OptionsTest, ReadsTheMostTokens) {
  EXPECT_EQ(Parse({"--models=/m"})->loading.max_tokens, std::nullopt);
  const auto options =
      Parse({"--models=/m", "--max_tokens=4096", "--max_queue_tokens=5000"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->loading.max_tokens, 4096u);
  EXPECT_EQ(options->loading.max_queue_tokens, 5000u);
  EXPECT_THAT(ErrorOf({"--models=/m", "--max_tokens=-1"}),
              HasSubstr("--max_tokens: expected a number from 0"));
}

TEST(OptionsTest, ReadsThePrecision) {
  const std::pair<std::string, WantedPrecision> cases[] = {
      {"fp32", model::Precision::kFp32},
      {"bf16", model::Precision::kBf16},
      {"int8", model::Precision::kInt8},
      {"auto", std::nullopt}};
  for (const auto& [name, precision] : cases) {
    const auto options = Parse({"--models=/m", "--precision=" + name});
    ASSERT_TRUE(options.ok()) << options.status();
    EXPECT_EQ(options->loading.precision.wanted, precision);
  }
}

TEST(OptionsTest, ReadsThePrecisionPolicy) {
  const auto defaults = Parse({"--models=/m"});
  ASSERT_TRUE(defaults.ok()) << defaults.status();
  EXPECT_EQ(defaults->loading.precision.thresholds.min_label_agreement, 0.99);
  EXPECT_EQ(defaults->loading.precision.thresholds.max_logit_change, 0);
  EXPECT_FALSE(defaults->loading.precision.keep_fp32);
  EXPECT_EQ(defaults->loading.products, model::Products::kAuto);
  const Environment keep("DEBERTA_KEEP_FP32", "true");
  const auto options = Parse({"--models=/m", "--min_label_agreement=0.5",
                              "--max_logit_change=0.25", "--products=onednn"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->loading.precision.thresholds.min_label_agreement, 0.5);
  EXPECT_EQ(options->loading.precision.thresholds.max_logit_change, 0.25);
  EXPECT_TRUE(options->loading.precision.keep_fp32);
  EXPECT_EQ(options->loading.products, model::Products::kOneDnn);
}

TEST(OptionsTest, ReadsAddressesOfEveryKind) {
  for (const char* address : {"[::1]:7", "unix:/run/s", "localhost:7"}) {
    const auto listen =
        Parse({"--models=/m", std::string("--listen=") + address});
    ASSERT_TRUE(listen.ok()) << listen.status();
    EXPECT_EQ(listen->listen.ToString(), address);
    const auto metrics =
        Parse({"--models=/m", std::string("--metrics_listen=") + address});
    ASSERT_TRUE(metrics.ok()) << metrics.status();
    EXPECT_EQ(metrics->metrics_listen->ToString(), address);
  }
}

TEST(OptionsTest, AddressesMustDiffer) {
  const auto both = [](const std::string& address) {
    return Parse(
        {"--models=/m", "--listen=" + address, "--metrics_listen=" + address});
  };
  for (const char* address : {"[::1]:7", "unix:/run/s", "localhost:7"}) {
    EXPECT_THAT(std::string(both(address).status().message()),
                HasSubstr(std::string("must differ, both are ") + address));
  }
  EXPECT_TRUE(both("[::1]:0").ok());
}

TEST(OptionsTest, TheFlagWinsOverTheEnvironment) {
  const Environment models("DEBERTA_MODELS", "/from_environment");
  const Environment drain("DEBERTA_DRAIN_SECONDS", "7");
  const Environment empty("DEBERTA_LISTEN", "");
  const auto options = Parse({"--drain_seconds=9"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->models.at(0).directory, "/from_environment");
  EXPECT_EQ(options->drain_time, absl::Seconds(9));
  EXPECT_EQ(options->listen.ToString(), "0.0.0.0:50051");
}

TEST(OptionsTest, BadEnvironmentNamesTheVariable) {
  const Environment workers("DEBERTA_WORKERS", "many");
  EXPECT_THAT(ErrorOf({"--models=/m"}), HasSubstr("DEBERTA_WORKERS"));
}

TEST(OptionsTest, BadValuesNameTheFlag) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"--precision=int4", "--precision: expected fp32, bf16, int8 or auto"},
      {"--products=mkl", "--products: expected auto, own or onednn"},
      {"--min_label_agreement=1.5", "--min_label_agreement: expected a share"},
      {"--min_label_agreement=nan", "--min_label_agreement: expected a share"},
      {"--max_logit_change=-1", "--max_logit_change: expected a number from 0"},
      {"--max_logit_change=inf", "--max_logit_change: expected a number from"},
      {"--allowed_weights=pickle", "--allowed_weights: expected some of"},
      {"--allowed_weights=", "--allowed_weights: expected some of"},
      {"--allowed_weights=torch,", "--allowed_weights: expected some of"},
      {"--tokenizer_profile=hf3",
       "--tokenizer_profile: expected auto, hf4, hf5"},
      {"--listen=::1:1", "--listen: expected HOST:PORT, [IPV6]:PORT or "},
      {"--metrics_listen=nowhere", "--metrics_listen: expected HOST:PORT, "},
      {"--workers=-1", "--workers: expected a number from 0"},
      {"--drain_seconds=-1", "--drain_seconds"},
      {"--repository_poll_seconds=-1", "--repository_poll_seconds"},
      {"--default_deadline_ms=0", "--default_deadline_ms"},
      {"--max_request_bytes=1", "--max_request_bytes"},
      {"--max_inflight_bytes=-1", "--max_inflight_bytes"},
      {"--max_batch_wait_us=-5", "--max_batch_wait_us"},
      {"--max_batch_tokens=0", "--max_batch_tokens"},
      {"--max_queue_tokens=100", "--max_batch_tokens (1024) must not exceed"},
      {"--log_calls=1.5", "--log_calls: expected a share from 0 to 1"},
      {"--trace_share=-0.1", "--trace_share: expected a share from 0 to 1"},
      {"--trace_share=0.5", "--trace_share has no use without --otlp_endpo"},
      {"--log_calls=nan", "--log_calls: expected a share from 0 to 1"},
      {"extra", "unexpected argument \"extra\""}};
  for (const auto& [argument, message] : cases) {
    EXPECT_THAT(ErrorOf({"--models=/m", argument}), HasSubstr(message));
  }
  EXPECT_THAT(ErrorOf({}), HasSubstr("--models is required"));
}

TEST(OptionsTest, ARepositoryMayStandInForModels) {
  const absl::FlagSaver saver;
  Set("model_repository", "/");
  const auto polled = OptionsFromFlags({});
  ASSERT_TRUE(polled.ok()) << polled.status();
  EXPECT_TRUE(polled->models.empty());
  EXPECT_EQ(polled->model_repository, "/");
  EXPECT_EQ(polled->repository_poll, absl::Seconds(15));
  Set("models", "/m");
  Set("repository_poll_seconds", "0");
  const auto both = OptionsFromFlags({.memory_bytes = 4096});
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->models.size(), 1u);
  EXPECT_EQ(both->repository_poll, absl::InfiniteDuration());
  EXPECT_EQ(both->loading.memory_bytes, 4096u);
  Set("model_repository", "/no/such");
  EXPECT_THAT(std::string(OptionsFromFlags({}).status().message()),
              HasSubstr("--model_repository: expected a directory"));
}

TEST(OptionsTest, TheCollectorIsAnAddressOverHttp) {
  for (const char* address : {"localhost:4318", "127.0.0.1:1", "[::1]:4318"}) {
    const auto options = Parse(
        {"--models=/m", std::string("--otlp_endpoint=http://") + address});
    ASSERT_TRUE(options.ok()) << options.status();
    EXPECT_EQ(options->otlp_url,
              std::string("http://") + address + "/v1/traces");
  }
  for (const char* endpoint :
       {"localhost:4318", "https://localhost:4318", "http://localhost",
        "http://localhost:0", "http://localhost:4318/", "http://:4318",
        "http://unix:/run/s", "http://user@host:4318", "http://a/b:4318",
        "http://a b:4318", "HTTP://localhost:4318", "http://"}) {
    EXPECT_THAT(
        ErrorOf({"--models=/m", std::string("--otlp_endpoint=") + endpoint}),
        HasSubstr("--otlp_endpoint: expected http://HOST:PORT"))
        << endpoint;
  }
}

TEST(OptionsTest, WorkersAndThreadsComeFromTheCpus) {
  const absl::FlagSaver saver;
  Set("models", "/m");
  const auto chosen = [](double cpus) {
    const auto options = OptionsFromFlags({.cpus = cpus});
    return std::tuple(options->threads, options->workers,
                      options->threads_per_worker);
  };
  EXPECT_EQ(chosen(1), std::tuple(1, 1, 1));
  EXPECT_EQ(chosen(20), std::tuple(20, 20, 20));
  Set("workers", "4");
  EXPECT_EQ(chosen(2), std::tuple(2, 4, 2));
  EXPECT_EQ(chosen(16), std::tuple(16, 4, 16));
  Set("threads_per_worker", "3");
  EXPECT_EQ(chosen(16), std::tuple(12, 4, 3));
  Set("workers", "0");
  EXPECT_EQ(chosen(8), std::tuple(8, 8, 3));
  EXPECT_EQ(chosen(2), std::tuple(2, 2, 3));
  Set("workers", "1024");
  EXPECT_THAT(std::string(OptionsFromFlags({.cpus = 8}).status().message()),
              HasSubstr("3072 threads"));
}

// What calls may hold is left open until models are loaded.
TEST(OptionsTest, MemoryComesFromTheLimit) {
  const absl::FlagSaver saver;
  Set("models", "/m");
  constexpr size_t kMiB = size_t{1} << 20;
  const auto transports = [](std::optional<size_t> limit) {
    return OptionsFromFlags({.memory_bytes = limit})->transport_bytes;
  };
  EXPECT_EQ(transports(std::nullopt), 256 * kMiB);
  EXPECT_EQ(transports(8192 * kMiB), 256 * kMiB);
  EXPECT_EQ(transports(512 * kMiB), 64 * kMiB);
  EXPECT_EQ(transports(64 * kMiB), 32 * kMiB);
  EXPECT_EQ(OptionsFromFlags({})->requested_inflight_bytes, std::nullopt);
  Set("max_inflight_bytes", "1000000");
  EXPECT_EQ(OptionsFromFlags({})->requested_inflight_bytes, 1'000'000u);
}

// A quota of 1.5 CPUs left one of them idle half of the time.
TEST(OptionsTest, ThreadsUseThePartOfACpu) {
  const absl::FlagSaver saver;
  Set("models", "/m");
  EXPECT_EQ(OptionsFromFlags({.cpus = 1.5})->threads, 2);
  EXPECT_EQ(OptionsFromFlags({.cpus = 0.5})->threads, 1);
  EXPECT_EQ(OptionsFromFlags({.cpus = 2})->threads, 2);
}

using OptionsDeathTest = testing::Test;

TEST(OptionsTest, UnknownFlagAndUnparsableValueAreErrors) {
  EXPECT_EQ(ErrorOf({"--models=/m", "--nonsense=1"}),
            "unknown flag --nonsense; see --help");
  EXPECT_THAT(ErrorOf({"--models=/m", "--workers=many"}),
              HasSubstr("--workers: Illegal value 'many'"));
  EXPECT_EQ(ErrorOf({"--models=/m", "--nomodels"}),
            "unknown flag --nomodels; see --help");
  EXPECT_EQ(ErrorOf({"--models"}), "--models: expected a value, got none");
  for (const char* odd : {"-", "--", "", "--=", "--no", "stray"})
    EXPECT_FALSE(Parse({"--models=/m", odd}).ok()) << odd;
}

TEST(OptionsTest, FlagsAreWrittenInSeveralWays) {
  const auto options = Parse(
      {"-models=/m", "--workers", "3", "--keep_fp32", "--metrics_listen="});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->workers, 3);
  EXPECT_TRUE(options->loading.precision.keep_fp32);
  EXPECT_EQ(options->metrics_listen, std::nullopt);
  EXPECT_FALSE(Parse({"--models=/m", "--keep_fp32", "--nokeep_fp32"})
                   ->loading.precision.keep_fp32);
}

TEST(OptionsDeathTest, HelpAndVersionExitWithSuccess) {
  EXPECT_EXIT(Parse({"--help"}).IgnoreError(), ExitedWithCode(0), "");
  EXPECT_EXIT(Parse({"--version"}).IgnoreError(), ExitedWithCode(0), "");
}

}  // namespace
}  // namespace deberta::server
