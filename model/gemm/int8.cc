#include "model/gemm/int8.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/gemm/int8.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> LoadFloats(D d, const float* from) {
  return hn::LoadU(d, from);
}

template <class D>
HWY_INLINE hn::Vec<D> LoadFloats(D d, const Bf16* from) {
  const hn::RebindToUnsigned<D> du;
  const hn::Rebind<uint16_t, D> d16;
  return hn::BitCast(
      d, hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(d16, &from->bits))));
}

// The largest |x|; NaN if some x is not finite.
float LargestOfFloats(const float* row, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  auto largest = hn::Zero(d);
  auto nothing = hn::Zero(d);  // 0 x
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto x = LoadFloats(d, row + i);
    largest = hn::Max(largest, hn::Abs(x));
    nothing = hn::MulAdd(x, hn::Zero(d), nothing);
  }
  float result = hn::GetLane(hn::MaxOfLanes(d, largest)) +
                 hn::GetLane(hn::SumOfLanes(d, nothing));
  const hn::CappedTag<float, 1> one;
  for (; i < n; ++i) {
    const float x = hn::GetLane(LoadFloats(one, row + i));
    result = std::max(result, std::abs(x)) + 0 * x;
  }
  return result;
}

// Of a row and 0; not numbers if some x is not finite.
struct Range {
  float least = 0;
  float most = 0;
};

template <typename T>
Range RangeOf(const T* row, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  auto least = hn::Zero(d);
  auto most = hn::Zero(d);
  auto nothing = hn::Zero(d);  // 0 x
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto x = LoadFloats(d, row + i);
    least = hn::Min(least, x);
    most = hn::Max(most, x);
    nothing = hn::MulAdd(x, hn::Zero(d), nothing);
  }
  const float zero = hn::GetLane(hn::SumOfLanes(d, nothing));
  Range range = {hn::GetLane(hn::MinOfLanes(d, least)) + zero,
                 hn::GetLane(hn::MaxOfLanes(d, most)) + zero};
  const hn::CappedTag<float, 1> one;
  for (; i < n; ++i) {
    const float x = hn::GetLane(LoadFloats(one, row + i));
    range.least = std::min(range.least, x) + 0 * x;
    range.most = std::max(range.most, x) + 0 * x;
  }
  return range;
}

template <class D, typename T>
HWY_INLINE void QuantizeVector(D d, const T* from, float inverse, int32_t zero,
                               uint8_t* to) {
  const hn::RebindToSigned<D> di;
  const hn::Rebind<uint8_t, D> d8;
  const auto rounded =
      hn::NearestInt(hn::Mul(LoadFloats(d, from), hn::Set(d, inverse)));
  hn::StoreU(hn::DemoteTo(d8, hn::Add(rounded, hn::Set(di, zero))), d8, to);
}

template <typename T>
QuantizedRow QuantizeAnyRow(const T* row, size_t n, uint8_t* to) {
  constexpr float kSteps = 255;
  const Range range = RangeOf(row, n);
  const float width = range.most - range.least;
  const float inverse = width > kLeastScaled ? kSteps / width : 0;
  // Also where nothing is a number.
  const auto zero = static_cast<int32_t>(
      inverse > 0 ? std::nearbyint(-range.least * inverse) : 0.0f);
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    QuantizeVector(d, row + i, inverse, zero, to + i);
  }
  const hn::CappedTag<float, 1> one;
  for (; i < n; ++i) QuantizeVector(one, row + i, inverse, zero, to + i);
  return {width / kSteps, zero};
}

template <class D>
HWY_INLINE int32_t RoundVector(D d, const float* from, float inverse,
                               int8_t* to) {
  const hn::RebindToSigned<D> di;
  const hn::Rebind<int8_t, D> d8;
  const auto rounded =
      hn::NearestInt(hn::Mul(hn::LoadU(d, from), hn::Set(d, inverse)));
  hn::StoreU(hn::DemoteTo(d8, rounded), d8, to);
  return hn::GetLane(hn::SumOfLanes(di, rounded));
}

int32_t RoundAndSum(const float* row, size_t n, float inverse, int8_t* to) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  int32_t sum = 0;
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    sum += RoundVector(d, row + i, inverse, to + i);
  }
  const hn::CappedTag<float, 1> one;
  for (; i < n; ++i) sum += RoundVector(one, row + i, inverse, to + i);
  return sum;
}

QuantizedRow QuantizeFloats(const float* row, size_t n, uint8_t* to) {
  return QuantizeAnyRow(row, n, to);
}

QuantizedRow QuantizeBf16(const Bf16* row, size_t n, uint8_t* to) {
  return QuantizeAnyRow(row, n, to);
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(QuantizeFloats);
HWY_EXPORT(QuantizeBf16);
HWY_EXPORT(LargestOfFloats);
HWY_EXPORT(RoundAndSum);

QuantizedRow QuantizeRow(std::span<const float> row, uint8_t* to) {
  return HWY_DYNAMIC_DISPATCH(QuantizeFloats)(row.data(), row.size(), to);
}

QuantizedRow QuantizeRow(std::span<const Bf16> row, uint8_t* to) {
  return HWY_DYNAMIC_DISPATCH(QuantizeBf16)(row.data(), row.size(), to);
}

QuantizedWeight QuantizeWeight(std::span<const float> row, int limit,
                               int8_t* to) {
  const float largest =
      HWY_DYNAMIC_DISPATCH(LargestOfFloats)(row.data(), row.size());
  if (!std::isfinite(largest)) {
    std::fill_n(to, row.size(), int8_t{0});
    return {std::numeric_limits<float>::quiet_NaN(), 0};
  }
  const float inverse =
      largest > kLeastScaled ? static_cast<float>(limit) / largest : 0.0f;
  const int32_t sum =
      HWY_DYNAMIC_DISPATCH(RoundAndSum)(row.data(), row.size(), inverse, to);
  return {largest / static_cast<float>(limit), sum};
}

}  // namespace deberta::model

#endif  // HWY_ONCE
