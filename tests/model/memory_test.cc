// Memory under random lengths: what a process that never restarts depends on.

#include <cstddef>
#include <fstream>
#include <random>
#include <string>
#include <tuple>

#include "gtest/gtest.h"
#include "model/model.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/golden_model.h"

namespace deberta::model {
namespace {

constexpr int kShapes = 10000;
// Until every number of rows has been met often.
constexpr int kSettled = 3000;
constexpr size_t kMaxLength = 48;
constexpr size_t kMaxSequences = 8;
// Arenas of malloc and the pages around them; 7,000 batches that each kept
// something of 64 bytes would have more.
constexpr size_t kSlackBytes = size_t{384} << 10;

size_t ResidentBytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  size_t kibibytes = 0;
  while (status >> word) {
    if (word == "RssAnon:" && status >> kibibytes) return kibibytes << 10;
  }
  ADD_FAILURE() << "the kernel does not tell";
  return 0;
}

class MemoryTest
    : public testing::TestWithParam<std::tuple<Precision, Products>> {};

TEST_P(MemoryTest, StaysFlatOverRandomShapes) {
  Model::Options options;
  std::tie(options.precision, options.products) = GetParam();
  const auto model = Model::Load(GoldenModel("v3_classify"), options);
  ASSERT_TRUE(model.ok()) << model.status();
  Workspace workspace(2);
  std::mt19937 random(3);
  BatchOutput output;
  const auto run = [&](size_t sequences, size_t length) {
    BatchBuilder builder((*model)->head());
    for (size_t s = 0; s < sequences; ++s) {
      const size_t n = length > 0 ? length : 1 + random() % kMaxLength;
      const std::vector<int32_t> ids(n, 7);
      builder.Add(ids, std::vector<int32_t>(n));
    }
    EXPECT_TRUE((*model)->Forward(builder.batch(), workspace, &output).ok());
  };
  run(kMaxSequences, kMaxLength);
  size_t settled_workspace = 0;
  size_t settled = 0;
  for (int shape = 0; shape < kShapes; ++shape) {
    if (shape == kSettled) {
      settled_workspace = workspace.bytes();
      settled = ResidentBytes();
    }
    run(1 + random() % kMaxSequences, 0);
  }
  EXPECT_EQ(workspace.bytes(), settled_workspace);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Sanitizers keep what was freed.
  EXPECT_LE(ResidentBytes(), settled + kSlackBytes);
#endif
}

INSTANTIATE_TEST_SUITE_P(
    EveryPrecision, MemoryTest,
    testing::Combine(testing::Values(Precision::kFp32, Precision::kBf16,
                                     Precision::kInt8),
                     testing::Values(Products::kOwn, Products::kOneDnn)),
    [](const auto& test) {
      return std::string(PrecisionName(std::get<0>(test.param))) + "_" +
             std::string(ProductsName(std::get<1>(test.param)));
    });

}  // namespace
}  // namespace deberta::model
