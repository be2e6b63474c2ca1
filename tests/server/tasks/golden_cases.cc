#include "tests/server/tasks/golden_cases.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>

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

std::unique_ptr<const tokenizer::Tokenizer> LoadOrDie(const std::string& name) {
  auto tokenizer = tokenizer::LoadTokenizer(kDirectory + "tokenizers/" + name);
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

const tokenizer::Tokenizer& GoldenTokenizer(const std::string& name) {
  static const std::unique_ptr<const tokenizer::Tokenizer> v1 = LoadOrDie("v1");
  static const std::unique_ptr<const tokenizer::Tokenizer> v3 = LoadOrDie("v3");
  return name == "v1" ? *v1 : *v3;
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
  }
  return outputs;
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
