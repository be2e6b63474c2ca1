#include "model/runtime/isa.h"

#include <hwy/targets.h>

#include <atomic>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "absl/strings/str_cat.h"

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
    case Isa::kAmx:
      return 0;
  }
#endif
  static_cast<void>(isa);
  return 0;
}

std::atomic<Isa> max_isa{Isa::kAmx};
std::atomic<bool> max_isa_is_fixed{false};

// Whether the processor has AMX with bfloat16 and bytes, and the system lets
// this process use it (Linux hands out its large register state on request
// only).
bool GrantedTiles() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr unsigned kWanted = 1u << 22 | 1u << 24 | 1u << 25;  // BF16, INT8
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kWanted) != kWanted) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

}  // namespace

absl::StatusOr<Isa> ParseIsa(std::string_view name) {
  for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kAmx}) {
    if (name == IsaName(isa)) return isa;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "instruction set: expected baseline, avx2, avx512 or amx, got \"",
      absl::string_view(name.data(), name.size()), "\""));
}

std::string_view IsaName(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return "baseline";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAmx:
      break;
  }
  return "amx";
}

absl::Status SetMaxIsa(Isa isa) {
  if (max_isa_is_fixed.load(std::memory_order_relaxed)) {
    return absl::FailedPreconditionError(
        "the instruction set must be limited before a model is loaded");
  }
  hwy::DisableTargets(TargetsWiderThan(isa));
  max_isa.store(isa, std::memory_order_relaxed);
  return absl::OkStatus();
}

Isa FixMaxIsa() {
  max_isa_is_fixed.store(true, std::memory_order_relaxed);
  return max_isa.load(std::memory_order_relaxed);
}

Isa WidestIsa() {
  if (HasTileProducts()) return Isa::kAmx;
#if HWY_ARCH_X86
  const int64_t targets = hwy::SupportedTargets();
  if ((targets & HWY_AVX3) != 0) return Isa::kAvx512;
  if ((targets & HWY_AVX2) != 0) return Isa::kAvx2;
#endif
  return Isa::kBaseline;
}

bool HasBf16Products() {
#if HWY_ARCH_X86
  return (hwy::SupportedTargets() & HWY_AVX3) != 0 &&
         __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool HasTileProducts() {
  // Asked for every layer; to ask the processor takes microseconds where it is
  // a virtual one.
  static const bool granted = GrantedTiles() && HasBf16Products();
  return granted && max_isa.load(std::memory_order_relaxed) == Isa::kAmx;
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
