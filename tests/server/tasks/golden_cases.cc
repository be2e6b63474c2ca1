#include "tests/server/tasks/golden_cases.h"

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "gtest/gtest.h"
#include "tokenizer/loader.h"

namespace deberta::server {
namespace {

const std::string kDirectory =
    std::string(DEBERTA_SOURCE_DIR) + "/tests/golden/tasks/";

// SplitMix64.
uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

uint64_t Fold(uint64_t state, std::span<const int32_t> ids) {
  for (const int32_t id : ids) state = Mix(state ^ static_cast<uint64_t>(id));
  return state;
}

std::string Text(const Sides& sides) {
  return std::string(sides.padding_side) + "-" +
         std::string(sides.truncation_side);
}

// A copy of a tokenizer's directory with the settings of `sides`.
std::string CopyWithSides(const std::string& name, const Sides& sides) {
  const std::filesystem::path from = kDirectory + "tokenizers/" + name;
  const std::filesystem::path to = ::testing::TempDir() + "golden-" +
                                   std::to_string(getpid()) + "-" + name + "-" +
                                   Text(sides);
  std::filesystem::create_directories(to);
  std::filesystem::copy_file(from / "tokenizer.json", to / "tokenizer.json",
                             std::filesystem::copy_options::overwrite_existing);
  nlohmann::json config;
  std::ifstream(from / "tokenizer_config.json") >> config;
  config["padding_side"] = sides.padding_side;
  config["truncation_side"] = sides.truncation_side;
  std::ofstream(to / "tokenizer_config.json") << config;
  return to;
}

std::unique_ptr<const tokenizer::Tokenizer> LoadOrDie(
    const std::string& directory) {
  auto tokenizer = tokenizer::LoadTokenizer(directory);
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.status() << "\n";
    std::abort();
  }
  return *std::move(tokenizer);
}

}  // namespace

std::vector<nlohmann::json> GoldenCases(const std::string& task) {
  std::ifstream file(kDirectory + task + ".json");
  const nlohmann::json cases =
      nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!cases.is_array()) return {};
  return {cases.begin(), cases.end()};
}

const tokenizer::Tokenizer& GoldenTokenizer(std::string_view name,
                                            Sides sides) {
  static auto* const loaded =
      new std::map<std::string, std::unique_ptr<const tokenizer::Tokenizer>>();
  const std::string directory(name);
  const std::string key = directory + "-" + Text(sides);
  std::unique_ptr<const tokenizer::Tokenizer>& tokenizer = (*loaded)[key];
  if (tokenizer == nullptr) {
    const bool as_it_is =
        sides.padding_side == "right" && sides.truncation_side == "right";
    tokenizer = LoadOrDie(as_it_is ? kDirectory + "tokenizers/" + directory
                                   : CopyWithSides(directory, sides));
  }
  return *tokenizer;
}

std::vector<SequenceOutput> FakeOutputs(
    std::span<const SequenceInput> sequences, const FakeLogits& logits) {
  std::vector<SequenceOutput> outputs;
  for (const SequenceInput& sequence : sequences) {
    const uint64_t state = Fold(logits.seed, sequence.ids);
    SequenceOutput& output = outputs.emplace_back();
    output.width = logits.width;
    for (const uint64_t row : sequence.rows) {
      for (uint64_t column = 0; column < logits.width; ++column) {
        const auto bits =
            static_cast<int64_t>(Mix(state + row * 1000003 + column) >> 44);
        output.values.push_back(static_cast<float>(bits - (1 << 19)) / 65536 *
                                logits.scale);
      }
      if (logits.bonus != 0) {
        const size_t raised = Mix(state ^ (row / 3)) % logits.width;
        output.values[output.values.size() - logits.width + raised] +=
            logits.bonus;
      }
    }
    KeepBest(sequence, &output);
  }
  return outputs;
}

void KeepBest(const SequenceInput& sequence, SequenceOutput* output) {
  if (sequence.best == nullptr) return;
  const size_t count = sequence.best->count;
  const size_t rows = sequence.rows.size();
  SequenceOutput kept = {.values = std::vector<float>(rows * count),
                         .width = count,
                         .columns = std::vector<int32_t>(rows * count)};
  std::vector<float> scratch;
  for (size_t row = 0; row < rows; ++row) {
    sequence.best->Take(
        std::span(output->values).subspan(row * output->width, output->width),
        std::span(kept.columns).subspan(row * count, count),
        std::span(kept.values).subspan(row * count, count), &scratch);
  }
  *output = std::move(kept);
}

OffsetUnit UnitNamed(const std::string& name) {
  if (name == "utf8_bytes") return OffsetUnit::kUtf8Bytes;
  if (name == "utf16_code_units") return OffsetUnit::kUtf16CodeUnits;
  return OffsetUnit::kCodePoints;
}

std::vector<uint32_t> Digests(std::span<const SequenceInput> sequences) {
  std::vector<uint32_t> digests;
  for (const SequenceInput& sequence : sequences) {
    digests.push_back(static_cast<uint32_t>(Fold(0, sequence.ids) >> 32));
  }
  return digests;
}

double ScoreTolerance(double score) {
  return 1e-9 + std::abs(score) * (5e-6 + 1.2e-5);
}

}  // namespace deberta::server
