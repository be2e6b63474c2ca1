// Turns a checkpoint of any format that is read into one of safetensors.

#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "model/checkpoint/hdf5.h"
#include "tools/convert/convert.h"
#include "tools/convert/report.h"

ABSL_FLAG(std::vector<std::string>, allowed_weights,
          (std::vector<std::string>{"safetensors", "torch", "hdf5"}),
          "formats of weights that may be read");
ABSL_FLAG(bool, generator, false,
          "convert generator_config.json and pytorch_model.generator.bin of a "
          "v3 directory, not its discriminator");
ABSL_FLAG(bool, json, false, "print the report as one line of JSON");

namespace deberta::tools {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;

void Interrupt(int) { g_interrupted = 1; }

// A bar that is redrawn on a terminal; nothing elsewhere.
class ProgressBar {
 public:
  ProgressBar() : shown_(isatty(STDERR_FILENO) == 1) {}
  ~ProgressBar() {
    if (shown_) std::cerr << "\r\x1b[K" << std::flush;
  }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Show(uint64_t done, uint64_t total) {
    if (!shown_) return;
    constexpr uint64_t kCells = 40;
    const auto full = static_cast<size_t>(kCells * done / total);
    std::cerr << absl::StrFormat("\r\x1b[K[%s%s] %.1f/%.1f MB",
                                 std::string(full, '='),
                                 std::string(kCells - full, ' '),
                                 static_cast<double>(done) / 1e6,
                                 static_cast<double>(total) / 1e6)
              << std::flush;
  }

 private:
  const bool shown_;
};

absl::StatusOr<model::Checkpoint::Options> OptionsFromFlags() {
  model::Checkpoint::Options options;
  options.allowed.clear();
  for (const std::string& name : absl::GetFlag(FLAGS_allowed_weights)) {
    const auto format = model::WeightsFormatNamed(name);
    if (!format) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--allowed_weights: expected safetensors, torch or hdf5, got '", name,
          "'"));
    }
    options.allowed.push_back(*format);
  }
  if (absl::GetFlag(FLAGS_generator)) {
    options.variant = model::WeightsVariant::kGenerator;
  }
  options.hdf5_reader = model::Hdf5ReaderBesideProgram();
  return options;
}

absl::Status ConvertFromFlags(const std::string& source,
                              const std::string& target) {
  const absl::StatusOr<model::Checkpoint::Options> options = OptionsFromFlags();
  if (!options.ok()) return options.status();
  absl::StatusOr<Conversion> conversion = absl::UnknownError("");
  {
    ProgressBar bar;
    conversion =
        Convert(source, target, *options, [&](uint64_t done, uint64_t total) {
          bar.Show(done, total);
          return g_interrupted == 0 ? absl::OkStatus()
                                    : absl::CancelledError("interrupted");
        });
  }
  if (!conversion.ok()) return conversion.status();
  std::cout << (absl::GetFlag(FLAGS_json) ? ReportJson(*conversion) + "\n"
                                          : ReportText(*conversion))
            << std::flush;
  return absl::OkStatus();
}

int Run(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "writes any supported DeBERTa checkpoint as safetensors.\n\n"
      "  deberta-convert [--allowed_weights=FORMAT,...] [--generator] [--json] "
      "SOURCE_DIR TARGET_DIR\n\n"
      "TARGET_DIR gets model.safetensors with the names that transformers "
      "loads (of GLiNER, GLiClass and GLiNER2 their packages), the "
      "configuration and the tokenizer's files. It must not exist, and appears "
      "only when it is complete.");
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  if (arguments.size() != 3) {
    std::cerr << "deberta-convert: expected SOURCE_DIR and TARGET_DIR\n";
    return 1;
  }
  // What was begun is removed before the program ends.
  std::signal(SIGINT, Interrupt);
  std::signal(SIGTERM, Interrupt);
  const absl::Status status = ConvertFromFlags(arguments[1], arguments[2]);
  if (status.ok()) return 0;
  std::cerr << "deberta-convert: " << status.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace deberta::tools

int main(int argc, char** argv) { return deberta::tools::Run(argc, argv); }
