// The cases of tests/golden/tasks, and the stand-in for a network that both
// sides compute.

#ifndef TESTS_SERVER_TASKS_GOLDEN_CASES_H_
#define TESTS_SERVER_TASKS_GOLDEN_CASES_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"
#include "server/tasks/shared/task.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

// The cases of one task; empty if the file cannot be read.
std::vector<nlohmann::json> GoldenCases(const std::string& task);

// Settings of tokenizer_config.json, "left" or "right".
struct Sides {
  std::string_view padding_side = "right";
  std::string_view truncation_side = "right";
};

// "v1" or "v3", loaded once with each of the settings.
const tokenizer::Tokenizer& GoldenTokenizer(std::string_view name,
                                            Sides sides = {});

// Shape of the values that fake_logits() of task_oracle.py gives.
struct FakeLogits {
  uint64_t seed = 0;
  size_t width = 0;
  float scale = 1;
  float bonus = 0;
};

// What the stand-in computes for the rows of a sequence; for all sequences.
std::vector<SequenceOutput> FakeOutputs(
    std::span<const SequenceInput> sequences, const FakeLogits& logits);

// Leaves of the output, [rows, vocabulary], what the sequence asks for.
void KeepBest(const SequenceInput& sequence, SequenceOutput* output);

OffsetUnit UnitNamed(const std::string& name);

// digest() of task_oracle.py: 32 bits that tell the ids of each sequence.
std::vector<uint32_t> Digests(std::span<const SequenceInput> sequences);

// Half of a unit in the sixth digit, in which the scores are stored, and the
// rounding of an fp32 softmax over some 200 values (200 * 2^-24 = 1.2e-5).
double ScoreTolerance(double score);

}  // namespace deberta::server

#endif  // TESTS_SERVER_TASKS_GOLDEN_CASES_H_
