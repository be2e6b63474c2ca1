#include "model/isa.h"

#include <hwy/targets.h>

#include "absl/strings/str_cat.h"
#include "model/layers/linear.h"

namespace deberta::model {
namespace {

// On x86 a wider target has a lower bit.
int64_t TargetsWiderThan(Isa isa) {
#if HWY_ARCH_X86
  switch (isa) {
    case Isa::kBaseline:
      return HWY_SSSE3 | (HWY_SSSE3 - 1);
    case Isa::kAvx2:
      return HWY_AVX2 - 1;
    case Isa::kAvx512:
      return 0;
  }
#endif
  static_cast<void>(isa);
  return 0;
}

}  // namespace

absl::StatusOr<Isa> ParseIsa(std::string_view name) {
  if (name == "baseline") return Isa::kBaseline;
  if (name == "avx2") return Isa::kAvx2;
  if (name == "avx512") return Isa::kAvx512;
  return absl::InvalidArgumentError(
      absl::StrCat("instruction set: expected baseline, avx2 or avx512, got \"",
                   absl::string_view(name.data(), name.size()), "\""));
}

absl::Status SetMaxIsa(Isa isa) {
  if (!LimitGemmIsa(isa)) {
    return absl::FailedPreconditionError(
        "the instruction set must be limited before a model is loaded");
  }
  hwy::DisableTargets(TargetsWiderThan(isa));
  return absl::OkStatus();
}

bool HasBf16Products() {
#if HWY_ARCH_X86
  return (hwy::SupportedTargets() & HWY_AVX3) != 0 &&
         __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool HasInt8Products() {
#if HWY_ARCH_X86
  return (hwy::SupportedTargets() & HWY_AVX3) != 0 &&
         __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

}  // namespace deberta::model
