#include "model/gemm/products.h"

#include <cmath>
#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/gemm/comparison.h"
#include "model/gemm/gemm.h"
#include "model/runtime/isa.h"

namespace deberta::model {
namespace {

using testing::HasSubstr;

constexpr GemmShape kShape = {.in = 64, .width = 32};

TEST(ProductsTest, NamesAreThoseThatAreParsed) {
  for (const Products products :
       {Products::kAuto, Products::kOwn, Products::kOneDnn}) {
    const auto parsed = ParseProducts(ProductsName(products));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, products);
  }
  EXPECT_THAT(ParseProducts("mkl").status().message(), HasSubstr("\"mkl\""));
}

TEST(ProductsTest, OneDnnComputesEveryPrecision) {
  GemmTable gemms(Products::kOneDnn);
  for (const Precision precision :
       {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    GemmShape shape = kShape;
    shape.precision = precision;
    const auto gemm = gemms.Get(shape);
    // oneDNN has no bf16 below AVX-512, where models use fp32 instead.
    if (precision != Precision::kBf16 || HasBf16Products()) {
      EXPECT_TRUE(gemm.ok()) << gemm.status();
    }
  }
  EXPECT_THAT(gemms.Description(), HasSubstr("fp32 onednn"));
  EXPECT_THAT(gemms.Description(), HasSubstr("int8 onednn"));
}

TEST(ProductsTest, OwnComputesFp32Itself) {
  GemmTable gemms(Products::kOwn);
  ASSERT_TRUE(gemms.Get(kShape).ok());
  EXPECT_EQ(gemms.Description(), "fp32 own");
}

std::shared_ptr<const Gemm> OwnGemm() {
  GemmTable gemms(Products::kOwn);
  return *gemms.Get(kShape);
}

// Our own with something different.
class OtherGemm : public Gemm {
 public:
  OtherGemm() : Gemm(kShape) {}
  size_t packed_floats() const override { return own_->packed_floats(); }
  void Pack(const void* row_major, float* packed) const override {
    own_->Pack(row_major, packed);
  }
  void Run(const Operands& operands, ThreadScratch& scratch,
           Consumer consume) const override {
    own_->Run(operands, scratch, consume);
  }

 private:
  const std::shared_ptr<const Gemm> own_ = OwnGemm();
};

class FastGemm final : public OtherGemm {
  void Run(const Operands&, ThreadScratch&, Consumer) const override {}
};

// Slow where there are many rows alone.
class SlowGemm final : public OtherGemm {
  void Run(const Operands& operands, ThreadScratch& scratch,
           Consumer consume) const override {
    const int times = operands.rows == kTileRows ? 50 : 0;
    for (int i = 0; i < times; ++i) OtherGemm::Run(operands, scratch, consume);
  }
};

// Adds up otherwise where there are few rows: the last bit differs.
class WaveringGemm final : public OtherGemm {
  void Run(const Operands& operands, ThreadScratch& scratch,
           Consumer consume) const override {
    OtherGemm::Run(operands, scratch, [&](const Block& block) {
      if (operands.rows <= 40) {
        auto* sum = static_cast<float*>(const_cast<void*>(block.sums));
        *sum = std::nextafter(*sum, 1e9f);
      }
      consume(block);
    });
  }
};

TEST(ComparisonTest, TheFasterIsAtLeastAsFast) {
  EXPECT_TRUE(IsAtLeastAsFast(FastGemm(), *OwnGemm()));
}

TEST(ComparisonTest, FewRowsAloneDoNotMakeItFast) {
  EXPECT_FALSE(IsAtLeastAsFast(SlowGemm(), *OwnGemm()));
}

TEST(ComparisonTest, SeesThatRowsDependOnTheirNumber) {
  EXPECT_TRUE(RowsAreIndependent(*OwnGemm()));
  EXPECT_FALSE(RowsAreIndependent(WaveringGemm()));
}

}  // namespace
}  // namespace deberta::model
