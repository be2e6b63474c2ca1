#include "model/gemm/precision.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "model/gemm/int8.h"
#include "model/runtime/isa.h"

namespace deberta::model {

namespace {

PrecisionChoice UseFp32(std::string why) {
  return {.reason = absl::StrCat(why, "; fp32 is used instead")};
}

std::string Int8Substitutes(Precision attention) {
  std::string text;
  if (!HasInt8Products()) {
    text =
        "int8 without AVX512_VNNI rounds weights to seven bits and is slower";
  }
  if (attention == Precision::kFp32) {
    absl::StrAppend(&text, text.empty() ? "" : "; ",
                    "attention is fp32: bf16 needs AVX512_BF16 and heads of an "
                    "even size");
  }
  return text;
}

}  // namespace

absl::StatusOr<Precision> ParsePrecision(std::string_view name) {
  for (const Precision precision :
       {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    if (name == PrecisionName(precision)) return precision;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("precision: expected fp32, bf16 or int8, got \"",
                   absl::string_view(name.data(), name.size()), "\""));
}

std::string_view PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      break;
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
  }
  return "fp32";
}

PrecisionChoice ChoosePrecision(Precision wanted, const Config& config) {
  const bool even_heads = config.head_size % 2 == 0;
  const Precision attention =
      HasBf16Products() && even_heads ? Precision::kBf16 : Precision::kFp32;
  if (wanted == Precision::kInt8) {
    const int64_t depth = std::max(
        {config.embedding_size, config.intermediate_size,
         config.hidden_size * std::max(config.conv_kernel_size, int64_t{1})});
    if (depth > static_cast<int64_t>(kMaxInt8Depth)) {
      return UseFp32(absl::StrCat("int8 sums hold ", kMaxInt8Depth,
                                  " products, not ", depth));
    }
    return {wanted, attention, "", Int8Substitutes(attention)};
  }
  if (wanted == Precision::kBf16) {
    if (!HasBf16Products()) {
      return UseFp32("bf16 needs a processor with AVX512_BF16");
    }
    if (!even_heads) {
      return UseFp32(absl::StrCat("bf16 needs heads of an even size, not ",
                                  config.head_size));
    }
    return {wanted, attention, ""};
  }
  return {};
}

}  // namespace deberta::model
