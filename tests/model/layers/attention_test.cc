#include "model/layers/attention.h"

#include <cmath>
#include <cstring>

#include "gtest/gtest.h"
#include "model/runtime/isa.h"
#include "tests/model/gemm/bf16_values.h"
#include "tests/model/random_floats.h"
#include "tests/model/test_isa.h"
#include "tests/reference/layers.h"

namespace deberta::model {
namespace {

struct Shape {
  size_t length;
  size_t heads;
  size_t head_size;
  int64_t max_relative_positions;
  int64_t buckets;
  bool c2p;
  bool p2c;
};

// One layer's attention with random position projections.
class AttentionCase {
 public:
  AttentionCase(const Shape& shape, Workspace& workspace,
                Precision precision = Precision::kFp32)
      : shape_(shape),
        width_(shape.heads * shape.head_size),
        positions_(shape.max_relative_positions, shape.buckets) {
    attention_.heads = shape.heads;
    attention_.head_size = shape.head_size;
    attention_.scale = 1 / std::sqrt(3 * static_cast<float>(shape.head_size));
    const auto reach = static_cast<size_t>(positions_.FindReach().offset);
    const size_t rows = 2 * static_cast<size_t>(positions_.span());
    if (shape.c2p) {
      pos_key_ = RandomFloats(rows * width_, 11);
      attention_.c2p =
          PositionTables(pos_key_, shape.heads, shape.head_size, positions_,
                         reach, true, precision, workspace.pool());
    }
    if (shape.p2c) {
      pos_query_ = RandomFloats(rows * width_, 12);
      attention_.p2c =
          PositionTables(pos_query_, shape.heads, shape.head_size, positions_,
                         reach, false, precision, workspace.pool());
    }
  }

  std::vector<double> Expected(std::span<const float> projections) const {
    return reference::Attention(
        {.length = projections.size() / (3 * width_),
         .heads = shape_.heads,
         .head_size = shape_.head_size,
         .scale = 1 / std::sqrt(3.0 * static_cast<double>(shape_.head_size)),
         .projections = projections,
         .pos_key = pos_key_,
         .pos_query = pos_query_,
         .row = [this](int64_t offset) { return positions_.Row(offset); }});
  }

  std::vector<float> Run(std::span<const float> projections,
                         const AttentionPlan& plan,
                         Workspace& workspace) const {
    std::vector<float> context(plan.rows * width_, NAN);
    attention_.Forward(projections.data(), plan, context.data(), workspace);
    return context;
  }

  // As above on projections rounded to bfloat16.
  std::vector<float> RunBf16(std::span<const float> projections,
                             const AttentionPlan& plan,
                             Workspace& workspace) const {
    std::vector<Bf16> context(plan.rows * width_);
    std::vector<Bf16> rows = AsBf16(projections);
    // No number, so that a result shows it if it depends on them.
    rows.resize(rows.size() + Attention::kRowsReadBeyond * 3 * width_,
                Bf16{0x7fc0});
    attention_.Forward(rows.data(), plan, context.data(), workspace);
    return AsFloats(context);
  }

  // Rounds the tables that Expected() reads, as those in bf16 are.
  void RoundTables() {
    pos_key_ = RoundedToBf16(pos_key_);
    pos_query_ = RoundedToBf16(pos_query_);
  }

  size_t width() const { return width_; }

 private:
  const Shape shape_;
  const size_t width_;
  const RelativePosition positions_;
  std::vector<float> pos_key_;
  std::vector<float> pos_query_;
  Attention attention_;
};

void ExpectMatchesFormula(const Shape& shape) {
  Workspace workspace(2);
  const AttentionCase attention(shape, workspace);
  const auto projections =
      RandomFloats(shape.length * 3 * attention.width(), 5);
  const std::vector<uint32_t> starts = {0, static_cast<uint32_t>(shape.length)};
  const auto context =
      attention.Run(projections, AttentionPlan::All(starts), workspace);
  // Scores of several units, rounded, move probabilities by as much.
  EXPECT_LT(WorstError(context, attention.Expected(projections)), 5e-6)
      << "length " << shape.length << ", head size " << shape.head_size
      << ", R " << shape.max_relative_positions << ", buckets " << shape.buckets
      << ", c2p " << shape.c2p << ", p2c " << shape.p2c;
}

// Against the formula on rounded projections and tables. What is rounded beyond
// them is each e^score and each result, by kBf16Rounding; everything else is as
// in fp32.
void ExpectBf16MatchesFormula(const Shape& shape) {
  if (UsesAvx512() && !HasBf16Products()) {
    GTEST_SKIP() << "models use fp32 here";
  }
  Workspace workspace(2);
  AttentionCase attention(shape, workspace, Precision::kBf16);
  attention.RoundTables();
  auto projections =
      RoundedToBf16(RandomFloats(shape.length * 3 * attention.width(), 5));
  const std::vector<uint32_t> starts = {0, static_cast<uint32_t>(shape.length)};
  const auto context =
      attention.RunBf16(projections, AttentionPlan::All(starts), workspace);
  const auto expected = attention.Expected(projections);
  // sum_j p_j |V_j|
  for (size_t i = 0; i < projections.size(); ++i) {
    if (i / attention.width() % 3 == 2)
      projections[i] = std::abs(projections[i]);
  }
  const auto magnitude = attention.Expected(projections);
  double worst = 0;
  for (size_t i = 0; i < context.size(); ++i) {
    const double bound =
        kBf16Rounding * (magnitude[i] + std::abs(expected[i])) + 1e-5;
    worst = std::max(worst, std::abs(context[i] - expected[i]) / bound);
  }
  EXPECT_LT(worst, 1) << "length " << shape.length << ", head size "
                      << shape.head_size << ", R "
                      << shape.max_relative_positions << ", buckets "
                      << shape.buckets << ", c2p " << shape.c2p << ", p2c "
                      << shape.p2c;
}

TEST(AttentionTest, Bf16MatchesTheFormula) {
  for (size_t length = 1; length <= 70; ++length) {
    ExpectBf16MatchesFormula({length, 2, 16, 80, -1, true, true});
  }
  for (const size_t length : {89u, 90u, 91u, 100u, 181u, 513u}) {
    ExpectBf16MatchesFormula({length, 1, 64, 512, 256, true, true});
  }
  for (size_t head_size = 2; head_size <= 40; head_size += 2) {
    ExpectBf16MatchesFormula({37, 3, head_size, 64, -1, true, true});
  }
  for (const size_t head_size : {size_t{24}, size_t{32}}) {
    for (const size_t length : {15u, 17u, 40u, 100u}) {
      ExpectBf16MatchesFormula({length, 2, head_size, 16, 8, true, true});
      ExpectBf16MatchesFormula({length, 2, head_size, 64, 32, true, false});
      ExpectBf16MatchesFormula({length, 2, head_size, 64, 32, false, true});
      ExpectBf16MatchesFormula({length, 2, head_size, 64, 32, false, false});
    }
  }
}

// Heads that tiles can multiply, with every remainder of rows and of strips.
TEST(AttentionTest, Bf16MatchesTheFormulaInWholeTiles) {
  for (size_t length = 1; length <= 150; ++length) {
    ExpectBf16MatchesFormula({length, 1, 64, 160, -1, true, true});
  }
  for (const size_t head_size : {32u, 96u, 128u}) {
    for (const size_t length : {1u, 33u, 70u, 257u}) {
      ExpectBf16MatchesFormula({length, 2, head_size, 512, 256, true, true});
    }
  }
}

TEST(AttentionTest, EveryRemainderOfLength) {
  for (size_t length = 1; length <= 70; ++length) {
    ExpectMatchesFormula({length, 2, 16, 80, -1, true, true});
  }
}

TEST(AttentionTest, LongSequences) {
  for (const size_t length : {89u, 90u, 91u, 100u, 128u, 181u, 200u, 513u}) {
    ExpectMatchesFormula({length, 1, 64, 512, 256, true, true});
  }
}

TEST(AttentionTest, EveryHeadSize) {
  for (size_t head_size = 8; head_size <= 128; head_size += 8) {
    ExpectMatchesFormula({37, 2, head_size, 64, -1, true, true});
  }
  for (const size_t head_size : {1u, 5u, 12u, 33u}) {
    ExpectMatchesFormula({23, 3, head_size, 64, -1, true, true});
  }
}

TEST(AttentionTest, LengthsAroundTheReachOfTheTables) {
  for (const size_t length : {15u, 16u, 17u, 18u, 31u, 64u, 100u}) {
    ExpectMatchesFormula({length, 2, 24, 16, -1, true, true});
    ExpectMatchesFormula({length, 2, 24, 16, 8, true, true});
    ExpectMatchesFormula({length, 2, 24, 16, 7, true, true});
  }
  ExpectMatchesFormula({40, 2, 8, 1, -1, true, true});
}

TEST(AttentionTest, TermsMayBeLeftOut) {
  for (const size_t length : {5u, 40u, 130u}) {
    ExpectMatchesFormula({length, 2, 32, 64, 32, true, false});
    ExpectMatchesFormula({length, 2, 32, 64, 32, false, true});
    ExpectMatchesFormula({length, 2, 32, 64, 32, false, false});
  }
}

// Sums of e^score would overflow without the maximum taken off.
TEST(AttentionTest, LargeScoresStayFinite) {
  Workspace workspace(1);
  const AttentionCase attention({50, 1, 16, 64, -1, true, true}, workspace);
  auto projections = RandomFloats(50 * 3 * 16, 5);
  for (float& value : projections) value *= 100;
  const std::vector<uint32_t> starts = {0, 50};
  const auto context =
      attention.Run(projections, AttentionPlan::All(starts), workspace);
  EXPECT_LT(WorstError(context, attention.Expected(projections)), 0.2);
}

void ExpectRowsDependOnTheirSequenceAlone(Precision precision) {
  Workspace workspace(2);
  const AttentionCase attention({0, 3, 64, 64, 32, true, true}, workspace,
                                precision);
  const auto run = [&](std::span<const float> projections,
                       const AttentionPlan& plan) {
    return precision == Precision::kBf16
               ? attention.RunBf16(projections, plan, workspace)
               : attention.Run(projections, plan, workspace);
  };
  const size_t row_floats = 3 * attention.width();
  const std::vector<uint32_t> starts = {0, 7, 8, 140, 159};
  const auto projections = RandomFloats(starts.back() * row_floats, 6);
  const auto together = run(projections, AttentionPlan::All(starts));
  for (size_t s = 0; s + 1 < starts.size(); ++s) {
    const uint32_t length = starts[s + 1] - starts[s];
    const std::vector<uint32_t> own = {0, length};
    const auto alone =
        run(std::span(projections)
                .subspan(starts[s] * row_floats, length * row_floats),
            AttentionPlan::All(own));
    EXPECT_EQ(std::memcmp(alone.data(),
                          together.data() + starts[s] * attention.width(),
                          alone.size() * sizeof(float)),
              0)
        << s;
  }
  const std::vector<uint32_t> rows = {0, 6, 9, 10, 11, 100, 158};
  const auto some = run(projections, AttentionPlan::Only(starts, rows));
  for (size_t r = 0; r < rows.size(); ++r) {
    EXPECT_EQ(std::memcmp(some.data() + r * attention.width(),
                          together.data() + rows[r] * attention.width(),
                          attention.width() * sizeof(float)),
              0)
        << rows[r];
  }
}

TEST(AttentionTest, ARowDependsOnItsSequenceAlone) {
  ExpectRowsDependOnTheirSequenceAlone(Precision::kFp32);
}

TEST(AttentionTest, ABf16RowDependsOnItsSequenceAlone) {
  if (UsesAvx512() && !HasBf16Products()) {
    GTEST_SKIP() << "models use fp32 here";
  }
  ExpectRowsDependOnTheirSequenceAlone(Precision::kBf16);
}

}  // namespace
}  // namespace deberta::model
