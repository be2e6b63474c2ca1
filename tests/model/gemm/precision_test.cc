#include "model/gemm/precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "model/runtime/isa.h"

namespace deberta::model {
namespace {

using testing::HasSubstr;
using testing::Not;

Config SmallConfig() {
  Config config;
  config.hidden_size = 64;
  config.intermediate_size = 128;
  config.embedding_size = 64;
  config.head_size = 16;
  return config;
}

TEST(PrecisionTest, SaysWhyItUsesFp32) {
  const PrecisionChoice bf16 = ChoosePrecision(Precision::kBf16, SmallConfig());
  if (HasBf16Products()) {
    EXPECT_EQ(bf16.used, Precision::kBf16);
    EXPECT_EQ(bf16.reason, "");
  } else {
    EXPECT_EQ(bf16.used, Precision::kFp32);
    EXPECT_THAT(bf16.reason, HasSubstr("AVX512_BF16"));
  }
  EXPECT_EQ(bf16.instead, "");
}

TEST(PrecisionTest, SaysWhatInt8MakesDoWith) {
  const PrecisionChoice int8 = ChoosePrecision(Precision::kInt8, SmallConfig());
  EXPECT_EQ(int8.used, Precision::kInt8);
  EXPECT_EQ(int8.reason, "");
  EXPECT_EQ(int8.instead.find("AVX512_VNNI") == std::string::npos,
            HasInt8Products());
  EXPECT_EQ(int8.instead.find("AVX512_BF16") == std::string::npos,
            HasBf16Products());
}

TEST(PrecisionTest, OddHeadsHaveAttentionInFp32) {
  Config config = SmallConfig();
  config.head_size = 15;
  EXPECT_EQ(ChoosePrecision(Precision::kBf16, config).used, Precision::kFp32);
  EXPECT_THAT(ChoosePrecision(Precision::kInt8, config).instead,
              HasSubstr("attention is fp32"));
  EXPECT_THAT(ChoosePrecision(Precision::kFp32, config).instead,
              Not(HasSubstr("attention")));
}

}  // namespace
}  // namespace deberta::model
