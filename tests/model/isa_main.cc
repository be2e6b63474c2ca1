// main() of the tests that run once per instruction set: --isa=NAME. Exits with
// 77, skipped, where the processor does not have it.

#include <cstdio>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "model/runtime/isa.h"
#include "tests/model/test_isa.h"

namespace deberta::model {
namespace {

Isa g_isa = Isa::kAmx;

}  // namespace

bool UsesAvx512() { return WidestIsa() >= Isa::kAvx512; }

TEST(IsaTest, TheWidestIsWithinWhatIsAllowed) {
  EXPECT_LE(WidestIsa(), g_isa);
  EXPECT_EQ(*ParseIsa(IsaName(WidestIsa())), WidestIsa());
  // What the processor has, asked in another way.
  if (g_isa >= Isa::kAvx2 && __builtin_cpu_supports("avx2") &&
      __builtin_cpu_supports("fma")) {
    EXPECT_GE(WidestIsa(), Isa::kAvx2);
  }
}

}  // namespace deberta::model

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  constexpr std::string_view kFlag = "--isa=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (!argument.starts_with(kFlag)) continue;
    const auto isa = deberta::model::ParseIsa(argument.substr(kFlag.size()));
    if (!isa.ok() || !deberta::model::SetMaxIsa(*isa).ok()) {
      std::fprintf(stderr, "cannot use %s\n", argv[i]);
      return 2;
    }
    deberta::model::g_isa = *isa;
    if (deberta::model::WidestIsa() < *isa) {
      std::printf(
          "SKIPPED: this processor has no more than %s\n",
          std::string(deberta::model::IsaName(deberta::model::WidestIsa()))
              .c_str());
      return 77;
    }
  }
  return RUN_ALL_TESTS();
}
