// Measures the runtime without gRPC: forward passes over random ids.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/checkpoint/hdf5.h"
#include "model/model.h"
#include "model/runtime/isa.h"
#include "model/runtime/workspace.h"
#include "server/models/model_settings.h"
#include "tools/bench/shape.h"
#include "tools/table.h"

ABSL_FLAG(std::string, model, "", "directory of the model");
ABSL_FLAG(std::string, shapes, "1x128,8x128",
          "batches to run, separated by commas: BATCHxLENGTH in tokens, or "
          "lengths:12+80+7 for one packed batch of these lengths; -: read "
          "from standard input and answered line by line, a known shape "
          "without warm-up and all with one run at least");
ABSL_FLAG(int32_t, threads, 0, "threads; 0: one for each CPU");
ABSL_FLAG(std::string, precision, "fp32",
          "fp32, bf16 or int8, whatever it does to the answers; what auto is, "
          "deberta-server finds out");
ABSL_FLAG(
    std::string, products, "auto",
    "who computes matrix products: own, onednn or auto, as deberta-server "
    "has it");
ABSL_FLAG(std::string, max_isa, "amx",
          "the widest instructions to use: amx (all there are), avx512, avx2 "
          "or baseline");
ABSL_FLAG(double, seconds, 3, "time spent on each shape, warm-up included");
ABSL_FLAG(bool, json, false, "print one JSON object a line for each shape");

namespace deberta::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kStandardInput = "-";
constexpr size_t kShownLogits = 8;
constexpr int kMaxThreads = 1024;

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// How often a shape runs however long it takes.
struct Runs {
  int warm_ups = 2;
  int measured = 3;
};

struct Settings {
  std::string directory;
  bool shapes_from_input = false;
  std::vector<Shape> shapes;
  int threads = 1;
  model::Precision precision = model::Precision::kFp32;
  model::Products products = model::Products::kAuto;
  Clock::duration duration;
};

absl::StatusOr<Settings> SettingsFromFlags() {
  Settings settings;
  settings.directory = absl::GetFlag(FLAGS_model);
  if (settings.directory.empty()) {
    return absl::InvalidArgumentError("--model=DIR is needed");
  }
  const std::string shapes = absl::GetFlag(FLAGS_shapes);
  settings.shapes_from_input = shapes == kStandardInput;
  if (!settings.shapes_from_input) {
    auto parsed = ParseShapes(shapes);
    if (!parsed.ok()) return parsed.status();
    settings.shapes = *std::move(parsed);
  }

  const int32_t threads = absl::GetFlag(FLAGS_threads);
  if (threads < 0 || threads > kMaxThreads) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--threads: expected 0 to ", kMaxThreads, ", got ", threads));
  }
  settings.threads =
      threads > 0
          ? threads
          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));

  const auto precision = model::ParsePrecision(absl::GetFlag(FLAGS_precision));
  if (!precision.ok()) return precision.status();
  settings.precision = *precision;
  const auto products = model::ParseProducts(absl::GetFlag(FLAGS_products));
  if (!products.ok()) return products.status();
  settings.products = *products;
  const auto isa = model::ParseIsa(absl::GetFlag(FLAGS_max_isa));
  if (!isa.ok()) return isa.status();
  if (absl::Status status = model::SetMaxIsa(*isa); !status.ok()) return status;
  const double seconds = absl::GetFlag(FLAGS_seconds);
  if (!(seconds >= 0 && seconds <= 86400)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--seconds: expected 0 to 86400, got ", seconds));
  }
  settings.duration = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(seconds));
  return settings;
}

struct Measurement {
  std::vector<double> sorted_ms;
  std::vector<float> first_values;  // of the first row read

  // The smallest run that at least the share q of all runs do not exceed.
  double Quantile(double q) const {
    const double rank = std::ceil(q * static_cast<double>(sorted_ms.size()));
    return sorted_ms[static_cast<size_t>(std::max(rank, 1.0)) - 1];
  }
  double Median() const {
    const size_t half = sorted_ms.size() / 2;
    return sorted_ms.size() % 2 == 1
               ? sorted_ms[half]
               : (sorted_ms[half - 1] + sorted_ms[half]) / 2;
  }
};

absl::StatusOr<Measurement> Measure(const model::Model& model,
                                    const Shape& shape, const Runs& runs,
                                    const Settings& settings,
                                    model::Workspace& workspace) {
  const model::RaggedBatch batch = MakeBatch(shape, model);
  model::BatchOutput output;
  Measurement measurement;
  const Clock::time_point end = Clock::now() + settings.duration;
  for (int run = 0; run < runs.warm_ups + runs.measured || Clock::now() < end;
       ++run) {
    const Clock::time_point start = Clock::now();
    if (absl::Status status = model.Forward(batch, workspace, &output);
        !status.ok()) {
      return status;
    }
    if (run < runs.warm_ups) continue;
    measurement.sorted_ms.push_back(Milliseconds(Clock::now() - start));
  }
  std::sort(measurement.sorted_ms.begin(), measurement.sorted_ms.end());
  std::vector<float>& values =
      output.logits.empty() ? output.hidden : output.logits;
  const size_t width = output.logits.empty()
                           ? static_cast<size_t>(model.config().hidden_size)
                           : output.logit_width;
  values.resize(std::min({values.size(), width, kShownLogits}));
  measurement.first_values = std::move(values);
  return measurement;
}

const char* TaskName(model::Head head) {
  switch (head) {
    case model::Head::kNone:
      return "encode";
    case model::Head::kSequenceClassification:
      return "classify";
    case model::Head::kTokenClassification:
      return "tag_tokens";
    case model::Head::kQuestionAnswering:
      return "answer_question";
    case model::Head::kMaskedLanguageModel:
      return "fill_mask";
    case model::Head::kMultipleChoice:
      return "multiple_choice";
    case model::Head::kReplacedTokenDetection:
      return "replaced_token_detection";
  }
  return "";
}

// Resident memory of this process in bytes; 0 where the kernel does not say.
uint64_t ProcessBytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  uint64_t kibibytes = 0;
  while (status >> word) {
    if (word == "VmRSS:" && status >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

nlohmann::ordered_json Report(const model::Model& model, const Shape& shape,
                              const Settings& settings, double load_ms,
                              const Measurement& measurement) {
  // A path that ends in '/' has no file name.
  std::filesystem::path path =
      std::filesystem::path(settings.directory).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const size_t tokens = Tokens(shape);
  nlohmann::ordered_json report = {
      {"model", path.filename().string()},
      {"family", model.config().family == model::Family::kDeberta
                     ? "deberta"
                     : "deberta-v2"},
      {"task", TaskName(model.head())},
      {"precision", model::PrecisionName(model.precision().used)},
      {"products", model.products()},
      {"threads", settings.threads},
      {"batch", shape.size()},
      {"length", *std::max_element(shape.begin(), shape.end())},
      {"tokens", tokens},
      {"runs", measurement.sorted_ms.size()},
      {"min_ms", measurement.sorted_ms.front()},
      {"median_ms", measurement.Median()},
      {"p99_ms", measurement.Quantile(0.99)},
      {"tokens_per_s",
       static_cast<double>(tokens) * 1000 / measurement.Median()},
      {"first_logits", measurement.first_values},
      {"load_ms", load_ms},
      {"resident_bytes", model.resident_bytes()},
      {"process_bytes", ProcessBytes()},
  };
  if (shape.front() != shape.back() ||
      std::adjacent_find(shape.begin(), shape.end(), std::not_equal_to<>()) !=
          shape.end()) {
    report["lengths"] = shape;
  }
  return report;
}

std::vector<std::string> Row(const nlohmann::ordered_json& report) {
  return {report.contains("lengths")
              ? absl::StrJoin(report["lengths"].get<Shape>(), "+")
              : absl::StrCat(report["batch"].get<size_t>(), "x",
                             report["length"].get<size_t>()),
          absl::StrCat(report["runs"].get<size_t>()),
          absl::StrFormat("%.2f", report["min_ms"].get<double>()),
          absl::StrFormat("%.2f", report["median_ms"].get<double>()),
          absl::StrFormat("%.2f", report["p99_ms"].get<double>()),
          absl::StrFormat("%.0f", report["tokens_per_s"].get<double>())};
}

using LoadedModel = std::unique_ptr<const model::Model>;

absl::StatusOr<LoadedModel> Load(const Settings& settings) {
  absl::StatusOr<server::ModelSettings> files =
      server::ReadModelSettings(settings.directory);
  if (!files.ok()) return files.status();
  model::Model::Options options;
  options.load_threads = settings.threads;
  options.checkpoint.hdf5_reader = model::Hdf5ReaderBesideProgram();
  options.fill_mask = files->fill_mask;
  if (files->head.has_value()) {
    options.head = files->head->head;
    options.checkpoint.backbone_prefix = files->head->backbone;
  }
  options.precision = settings.precision;
  options.products = settings.products;
  return model::Model::Load(settings.directory, options);
}

// Calls `run(shape, runs)` for each shape wanted, in turn.
absl::Status ForEachShape(
    const Settings& settings,
    const std::function<absl::Status(const Shape&, const Runs&)>& run) {
  for (const Shape& shape : settings.shapes) {
    if (absl::Status status = run(shape, Runs()); !status.ok()) return status;
  }
  if (!settings.shapes_from_input) return absl::OkStatus();
  std::set<Shape> known;
  for (std::string line; std::getline(std::cin, line);) {
    const auto shapes = ParseShapes(line);
    if (!shapes.ok()) return shapes.status();
    for (const Shape& shape : *shapes) {
      const int warm_ups = known.insert(shape).second ? 1 : 0;
      absl::Status status = run(shape, {warm_ups, 1});
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Bench(const Settings& settings) {
  const Clock::time_point start = Clock::now();
  const absl::StatusOr<LoadedModel> model = Load(settings);
  if (!model.ok()) return model.status();
  const double load_ms = Milliseconds(Clock::now() - start);
  for (const std::string& remark :
       {(*model)->precision().reason, (*model)->precision().instead}) {
    if (!remark.empty()) std::cerr << "deberta-bench: " << remark << "\n";
  }

  const bool json = absl::GetFlag(FLAGS_json);
  Table table;
  table.columns = {{"shape"},           {"runs", true},   {"min ms", true},
                   {"median ms", true}, {"p99 ms", true}, {"tokens/s", true}};
  model::Workspace workspace(settings.threads);
  const absl::Status status = ForEachShape(
      settings, [&](const Shape& shape, const Runs& runs) -> absl::Status {
        auto measurement = Measure(**model, shape, runs, settings, workspace);
        if (!measurement.ok()) return measurement.status();
        const nlohmann::ordered_json report =
            Report(**model, shape, settings, load_ms, *measurement);
        if (json) {
          // A directory's name need not be UTF-8.
          constexpr auto kReplace =
              nlohmann::ordered_json::error_handler_t::replace;
          std::cout << report.dump(-1, ' ', false, kReplace) << std::endl;
        } else {
          table.rows.push_back(Row(report));
        }
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  if (!json) {
    std::cout << absl::StrFormat(
                     "%d threads, products %s, loaded in %.0f ms, %.0f MB\n",
                     settings.threads, (*model)->products(), load_ms,
                     static_cast<double>(ProcessBytes()) / 1e6)
              << FormatTable(table, "");
  }
  return absl::OkStatus();
}

int Run(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "measures a DeBERTa model without gRPC.\n\n"
      "  deberta-bench --model=DIR [--shapes=1x16,8x128] [--threads=N] "
      "[--precision=bf16|int8] [--products=own|onednn] [--max_isa=avx2] "
      "[--seconds=S] [--json]");
  if (absl::ParseCommandLine(argc, argv).size() > 1) {
    std::cerr << "deberta-bench: takes flags only\n";
    return 1;
  }
  absl::StatusOr<Settings> settings = SettingsFromFlags();
  const absl::Status status =
      settings.ok() ? Bench(*settings) : settings.status();
  if (status.ok()) return 0;
  std::cerr << "deberta-bench: " << status.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace deberta::tools

int main(int argc, char** argv) { return deberta::tools::Run(argc, argv); }
