#include "model/precision.h"

#include "absl/strings/str_cat.h"
#include "model/isa.h"

namespace deberta::model {

absl::StatusOr<Precision> ParsePrecision(std::string_view name) {
  if (name == "fp32") return Precision::kFp32;
  if (name == "bf16") return Precision::kBf16;
  return absl::InvalidArgumentError(
      absl::StrCat("precision: expected fp32 or bf16, got \"",
                   absl::string_view(name.data(), name.size()), "\""));
}

std::string_view PrecisionName(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "fp32";
}

PrecisionChoice ChoosePrecision(Precision wanted, size_t head_size) {
  if (wanted == Precision::kFp32) return {};
  if (!HasBf16Products()) {
    return {Precision::kFp32,
            "bf16 needs a processor with AVX512_BF16; fp32 is used instead"};
  }
  if (head_size % 2 != 0) {
    return {Precision::kFp32,
            absl::StrCat("bf16 needs heads of an even size, not ", head_size,
                         "; fp32 is used instead")};
  }
  return {wanted, ""};
}

}  // namespace deberta::model
