// How the errors of a lower precision grow from layer to layer: one JSON object
// a line for each directory and precision, against fp32 of the same directory.
//
//   layer_errors [--threads=N] DIR...
//
// "rms": root mean square of the differences after the embeddings and after
// each layer, of that of the values themselves. "logits": the largest change,
// of the largest logit.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/model.h"
#include "tests/model/golden_model.h"

namespace deberta::model {
namespace {

constexpr size_t kLengths[] = {16, 64, 128, 384};

struct Run {
  std::vector<std::vector<float>> layers;
  std::vector<float> logits;
};

RaggedBatch RandomBatch(const Model& model) {
  BatchBuilder builder(model.head());
  uint64_t state = 1;
  for (const size_t length : kLengths) {
    std::vector<int32_t> ids(length);
    for (int32_t& id : ids) {
      state = state * 6364136223846793005u + 1442695040888963407u;  // Knuth
      id = static_cast<int32_t>(
          (state >> 33) % static_cast<uint64_t>(model.config().vocab_size));
    }
    builder.Add(ids, std::vector<int32_t>(length));
  }
  return builder.batch();
}

absl::StatusOr<Run> RunIn(const std::string& directory, Precision precision,
                          Workspace& workspace) {
  const auto model = Model::Load(
      directory, {.load_threads = workspace.threads(), .precision = precision});
  if (!model.ok()) return model.status();
  if ((*model)->precision().used != precision) {
    return absl::FailedPreconditionError((*model)->precision().reason);
  }
  Run run;
  BatchOutput output;
  const absl::Status status = (*model)->Forward(
      RandomBatch(**model), workspace, &output,
      {.observer = [&](int64_t, std::span<const float> hidden) {
        run.layers.emplace_back(hidden.begin(), hidden.end());
      }});
  if (!status.ok()) return status;
  run.logits = std::move(output.logits);
  return run;
}

double RelativeRms(const std::vector<float>& values,
                   const std::vector<float>& exact) {
  double errors = 0;
  double squares = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    const double error = double{values[i]} - exact[i];
    errors += error * error;
    squares += double{exact[i]} * exact[i];
  }
  return std::sqrt(errors / squares);
}

std::string Report(const std::string& directory, Precision precision,
                   const Run& run, const Run& exact) {
  std::vector<double> rms;
  for (size_t i = 0; i < exact.layers.size(); ++i) {
    rms.push_back(RelativeRms(run.layers[i], exact.layers[i]));
  }
  double change = 0;
  double largest = 0;
  for (size_t i = 0; i < exact.logits.size(); ++i) {
    change =
        std::max<double>(change, std::abs(run.logits[i] - exact.logits[i]));
    largest = std::max<double>(largest, std::abs(exact.logits[i]));
  }
  const std::string name = std::filesystem::path(directory).filename().string();
  return absl::StrCat("{\"model\":\"", name, "\",\"precision\":\"",
                      std::string(PrecisionName(precision)), "\",\"rms\":[",
                      absl::StrJoin(rms, ","),
                      "],\"logits\":", change / largest, "}");
}

int Main(int threads, const std::vector<std::string>& directories) {
  Workspace workspace(threads);
  int failures = 0;
  for (const std::string& directory : directories) {
    const auto exact = RunIn(directory, Precision::kFp32, workspace);
    for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
      const auto run =
          exact.ok() ? RunIn(directory, precision, workspace) : exact;
      if (!run.ok()) {
        std::fprintf(stderr, "layer_errors: %s: %s\n", directory.c_str(),
                     run.status().ToString().c_str());
        ++failures;
        continue;
      }
      std::puts(Report(directory, precision, *run, *exact).c_str());
      std::fflush(stdout);
    }
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace deberta::model

int main(int argc, char** argv) {
  constexpr std::string_view kThreads = "--threads=";
  int threads = 1;
  std::vector<std::string> directories;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (!argument.starts_with(kThreads)) {
      directories.push_back(argument);
    } else if (!absl::SimpleAtoi(argument.substr(kThreads.size()), &threads) ||
               threads < 1) {
      std::fprintf(stderr, "layer_errors: cannot use %s\n", argument.c_str());
      return 2;
    }
  }
  return deberta::model::Main(threads, directories);
}
