// Whole models: the committed checkpoints against what transformers computed,
// and batches against the same sequences alone.

#include "model/model.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/runtime/isa.h"
#include "tests/model/gemm/bf16_values.h"
#include "tests/model/golden_model.h"
#include "tests/model/loaded_golden.h"

namespace deberta::model {
namespace {

// Of the largest value of a tensor.
constexpr double kGoldenTolerance = 2e-5;

std::vector<std::string> AllModels() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(GoldenModel(""))) {
    if (entry.is_directory()) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Root mean square of the differences, of that of `expected`.
double RelativeRms(std::span<const float> actual,
                   std::span<const float> expected) {
  EXPECT_EQ(actual.size(), expected.size());
  double errors = 0;
  double squares = 1e-30;
  for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    const double error = static_cast<double>(actual[i]) - expected[i];
    errors += error * error;
    squares += static_cast<double>(expected[i]) * expected[i];
  }
  return std::sqrt(errors / squares);
}

// The first two sequences of the golden file, in one batch.
RaggedBatch GoldenBatch(const std::string& name, Head head) {
  const auto golden = GoldenFile::Open(GoldenModel(name));
  EXPECT_TRUE(golden.ok()) << golden.status();
  BatchBuilder builder(head);
  for (const std::string s : {"0", "1"}) {
    builder.Add(golden->ReadIds("input_ids." + s),
                golden->ReadIds("token_type_ids." + s));
  }
  return builder.batch();
}

// What holds by our own products and by oneDNN's.
class GoldenModelTest
    : public testing::TestWithParam<std::tuple<std::string, Products>> {
 protected:
  const std::string& name() const { return std::get<0>(GetParam()); }
  Products products() const { return std::get<1>(GetParam()); }
};

// What holds in each precision on its own, unless oneDNN is asked for.
class EveryPrecisionTest : public testing::TestWithParam<
                               std::tuple<std::string, Precision, Products>> {
 protected:
  void SetUp() override {
    if (precision() == Precision::kBf16 && !HasBf16Products()) {
      GTEST_SKIP() << "models use fp32 here";
    }
  }
  const std::string& name() const { return std::get<0>(GetParam()); }
  Precision precision() const { return std::get<1>(GetParam()); }
  Products products() const { return std::get<2>(GetParam()); }
};

TEST_P(GoldenModelTest, MatchesTheReference) {
  const auto model = LoadModel(name(), Precision::kFp32, products());
  ASSERT_NE(model, nullptr);
  const auto golden = GoldenFile::Open(GoldenModel(name()));
  ASSERT_TRUE(golden.ok()) << golden.status();
  Workspace workspace(2);
  const auto comparison = CompareToGolden(*model, *golden, workspace);
  ASSERT_TRUE(comparison.ok()) << comparison.status();
  EXPECT_GE(comparison->sequences, 2u);
  EXPECT_LE(comparison->hidden, kGoldenTolerance) << comparison->hidden_tensor;
  EXPECT_LE(comparison->logits, kGoldenTolerance);
}

// `rounding` is what rounding one factor adds to a product, as a root mean
// square. A product has two, four products follow each other in a layer, and
// the errors of all add in quadrature. These checkpoints' large weights may
// double that.
void ExpectRoundingsAlone(const std::string& name, Precision precision,
                          Products products, double rounding) {
  const auto exact = LoadModel(name);
  const auto rounded = LoadModel(name, precision, products);
  ASSERT_TRUE(exact != nullptr && rounded != nullptr);
  EXPECT_EQ(rounded->precision().used, precision);
  EXPECT_EQ(rounded->precision().reason, "");
  const auto limit = [&](size_t layers) {
    return 2 * rounding * std::sqrt(4 * 2 * static_cast<double>(layers));
  };
  const RaggedBatch batch = GoldenBatch(name, exact->head());
  Workspace workspace(2);
  BatchOutput output;
  std::vector<std::vector<float>> hidden;
  const LayerObserver keep = [&](int64_t, std::span<const float> values) {
    hidden.emplace_back(values.begin(), values.end());
  };
  ASSERT_TRUE(
      exact->Forward(batch, workspace, &output, {.observer = keep}).ok());
  const std::vector<float> logits = output.logits;
  size_t layer = 0;
  const LayerObserver compare = [&](int64_t, std::span<const float> values) {
    // One product more may have made the embeddings.
    EXPECT_LT(RelativeRms(values, hidden[layer]), limit(layer + 1)) << layer;
    ++layer;
  };
  ASSERT_TRUE(
      rounded->Forward(batch, workspace, &output, {.observer = compare}).ok());
  EXPECT_EQ(layer, hidden.size());
  EXPECT_LT(RelativeRms(output.logits, logits), limit(layer + 1));
  if (!logits.empty()) {
    EXPECT_NE(output.logits, logits);
  }
}

TEST_P(GoldenModelTest, Bf16AddsItsRoundingsAlone) {
  if (!HasBf16Products()) GTEST_SKIP() << "models use fp32 here";
  ExpectRoundingsAlone(name(), Precision::kBf16, products(),
                       kBf16Rounding / std::sqrt(3.0));
}

TEST_P(GoldenModelTest, Int8AddsItsRoundingsAlone) {
  // The largest of a row is some three times its root mean square; weights
  // have half as many steps without AVX512_VNNI.
  const double steps = HasInt8Products() ? 127 : 64;
  ExpectRoundingsAlone(name(), Precision::kInt8, products(),
                       3 / steps / std::sqrt(12.0));
}

// With an observer every row of the last layer is computed, else only those
// that are read.
TEST_P(EveryPrecisionTest, SkippingUnreadRowsChangesNoBit) {
  const auto model = LoadModel(name(), precision(), products());
  ASSERT_NE(model, nullptr);
  RaggedBatch batch = GoldenBatch(name(), model->head());
  batch.hidden_rows = {static_cast<uint32_t>(batch.tokens() - 1), 0, 0};
  if (batch.logit_rows.size() > 5) batch.logit_rows = {5, 2, 3};
  Workspace workspace(2);
  BatchOutput every;
  BatchOutput needed;
  ASSERT_TRUE(
      model->Forward(batch, workspace, &every, {.observer = [](auto, auto) {}})
          .ok());
  ASSERT_TRUE(model->Forward(batch, workspace, &needed).ok());
  EXPECT_EQ(needed.hidden, every.hidden);
  EXPECT_EQ(needed.logits, every.logits);
}

// Tiles of sixteen rows, of more and of all.
TEST_P(EveryPrecisionTest, TilesOfLogitsChangeNoBit) {
  const auto model = LoadModel(name(), precision(), products());
  ASSERT_NE(model, nullptr);
  if (model->head() == Head::kNone) GTEST_SKIP() << "no logits";
  const RaggedBatch golden = GoldenBatch(name(), model->head());
  RaggedBatch batch = golden;
  batch.hidden_rows = {0};
  // Rows in no order, some more than once.
  std::mt19937 random(3);
  for (size_t i = batch.logit_rows.size(); i < 100; ++i) {
    batch.logit_rows.push_back(
        golden.logit_rows[random() % golden.logit_rows.size()]);
  }
  Workspace workspace(2);
  BatchOutput whole;
  ASSERT_TRUE(model->Forward(batch, workspace, &whole).ok());
  const size_t width = model->logit_width();
  for (const size_t tile_floats : {size_t{1}, 40 * width, size_t{1} << 22}) {
    BatchOutput output;
    std::vector<float> logits(whole.logits.size());
    std::vector<int> times(batch.logit_rows.size());
    const auto take = [&](size_t row, std::span<const float> values) {
      ASSERT_EQ(values.size(), width);
      ++times[row];
      std::ranges::copy(values, &logits[row * width]);
    };
    ASSERT_TRUE(model
                    ->Forward(batch, workspace, &output,
                              {.take_logits = take, .tile_floats = tile_floats})
                    .ok());
    EXPECT_THAT(times, testing::Each(1));
    EXPECT_EQ(logits, whole.logits);
    EXPECT_THAT(output.logits, testing::IsEmpty());
    EXPECT_EQ(output.hidden, whole.hidden);
  }
}

TEST_P(EveryPrecisionTest, BatchEqualsAlone) {
  const auto model = LoadModel(name(), precision(), products());
  ASSERT_NE(model, nullptr);
  const Config& config = model->config();
  const bool limited = config.position_biased_input ||
                       model->fill_mask_decoder() == FillMaskDecoder::kEnhanced;
  const size_t longest =
      limited ? static_cast<size_t>(config.max_position_embeddings) : 70;
  std::mt19937 random(7);
  Workspace workspace(2);
  BatchBuilder together(model->head());
  BatchOutput alone;
  for (int s = 0; s < 32; ++s) {
    const size_t length = 1 + random() % longest;
    const auto ids = RandomIds(length, config.vocab_size, random);
    const auto types =
        RandomIds(length, std::max<int64_t>(config.type_vocab_size, 1), random);
    together.Add(ids, types);
    BatchBuilder single(model->head());
    single.Add(ids, types);
    for (uint32_t row = 0; row < length; ++row) {
      single.batch().hidden_rows.push_back(row);
    }
    BatchOutput output;
    ASSERT_TRUE(model->Forward(single.batch(), workspace, &output).ok());
    alone.hidden.insert(alone.hidden.end(), output.hidden.begin(),
                        output.hidden.end());
    alone.logits.insert(alone.logits.end(), output.logits.begin(),
                        output.logits.end());
  }
  for (uint32_t row = 0; row < together.batch().tokens(); ++row) {
    together.batch().hidden_rows.push_back(row);
  }
  BatchOutput batched;
  ASSERT_TRUE(model->Forward(together.batch(), workspace, &batched).ok());
  EXPECT_EQ(batched.hidden, alone.hidden);
  EXPECT_EQ(batched.logits, alone.logits);
}

INSTANTIATE_TEST_SUITE_P(
    All, GoldenModelTest,
    testing::Combine(testing::ValuesIn(AllModels()),
                     testing::Values(Products::kOwn, Products::kOneDnn)),
    [](const auto& test) {
      return std::get<0>(test.param) + "_" +
             std::string(ProductsName(std::get<1>(test.param)));
    });

INSTANTIATE_TEST_SUITE_P(
    All, EveryPrecisionTest,
    testing::Combine(testing::ValuesIn(AllModels()),
                     testing::Values(Precision::kFp32, Precision::kBf16,
                                     Precision::kInt8),
                     // What promises that a row depends on itself alone.
                     testing::Values(Products::kOwn, Products::kAuto)),
    [](const auto& test) {
      return std::get<0>(test.param) + "_" +
             std::string(PrecisionName(std::get<1>(test.param))) + "_" +
             std::string(ProductsName(std::get<2>(test.param)));
    });

}  // namespace
}  // namespace deberta::model
