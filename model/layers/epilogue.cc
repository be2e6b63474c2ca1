#include "model/layers/epilogue.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "model/layers/activation.h"
#include "model/runtime/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/layers/epilogue.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "model/gemm/bf16-inl.h"
#include "model/layers/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// At most what the columns' values are readable by.
using Lanes = hn::CappedTag<float, 16>;
using LaneVector = hn::Vec<Lanes>;

template <Precision kPrecision, bool kGelu>
HWY_INLINE LaneVector FinishVector(const Epilogue& epilogue, const void* sums,
                                   const QuantizedRow& row, size_t c) {
  const Lanes d;
  LaneVector y;
  if constexpr (kPrecision == Precision::kInt8) {
    const hn::RebindToSigned<Lanes> di;
    const auto sum = hn::LoadU(di, static_cast<const int32_t*>(sums) + c);
    const auto zeros =
        hn::Mul(hn::Set(di, row.zero), hn::LoadU(di, epilogue.weight_sums + c));
    const auto product = hn::ConvertTo(d, hn::Sub(sum, zeros));
    const auto scale =
        hn::Mul(hn::Set(d, row.scale), hn::LoadU(d, epilogue.scales + c));
    y = hn::MulAdd(product, scale, hn::LoadU(d, epilogue.bias + c));
  } else {
    y = hn::LoadU(d, static_cast<const float*>(sums) + c);
    if constexpr (kPrecision == Precision::kBf16) {
      y = hn::Add(y, hn::LoadU(d, epilogue.bias + c));
    }
  }
  if constexpr (kGelu && kPrecision == Precision::kFp32) {
    y = RationalGelu(d, y);
  } else if constexpr (kGelu) {
    y = PolynomialGelu(d, y);
  }
  return y;
}

HWY_INLINE void StoreVector(LaneVector v, float* to) {
  hn::StoreU(v, Lanes(), to);
}

HWY_INLINE void StoreVector(LaneVector v, Bf16* to) {
  StoreBf16(Lanes(), v, to);
}

template <Precision kPrecision, bool kGelu, typename Out>
void FinishRows(const Epilogue& epilogue, const void* sums, size_t sums_stride,
                size_t rows, size_t columns, Out* y, size_t y_stride) {
  const Lanes d;
  const size_t lanes = hn::Lanes(d);
  const size_t whole = columns / lanes * lanes;
  for (size_t r = 0; r < rows; ++r) {
    const float* row = static_cast<const float*>(sums) + r * sums_stride;
    const QuantizedRow quantized =
        kPrecision == Precision::kInt8 ? epilogue.rows[r] : QuantizedRow();
    Out* to = y + r * y_stride;
    for (size_t c = 0; c < whole; c += lanes) {
      StoreVector(FinishVector<kPrecision, kGelu>(epilogue, row, quantized, c),
                  to + c);
    }
    if (whole < columns) {
      // Another thread may write what stands behind.
      Out rest[hn::MaxLanes(Lanes())];
      StoreVector(
          FinishVector<kPrecision, kGelu>(epilogue, row, quantized, whole),
          rest);
      std::memcpy(to + whole, rest, (columns - whole) * sizeof(Out));
    }
  }
}

template <Precision kPrecision>
using Constant = std::integral_constant<Precision, kPrecision>;

template <typename Out>
void FinishAs(const Epilogue& epilogue, const void* sums, size_t sums_stride,
              size_t rows, size_t columns, Out* y, size_t y_stride) {
  const bool gelu = epilogue.activation == Activation::kGelu;
  const auto finish = [&](auto precision) HWY_ATTR {
    constexpr Precision kPrecision = precision();
    return gelu ? FinishRows<kPrecision, true, Out>
                : FinishRows<kPrecision, false, Out>;
  };
  const auto with = [&](auto chosen) {
    chosen(epilogue, sums, sums_stride, rows, columns, y, y_stride);
  };
  switch (epilogue.precision) {
    case Precision::kFp32:
      return with(finish(Constant<Precision::kFp32>()));
    case Precision::kBf16:
      return with(finish(Constant<Precision::kBf16>()));
    case Precision::kInt8:
      return with(finish(Constant<Precision::kInt8>()));
  }
}

void FinishFloats(const Epilogue& epilogue, const void* sums,
                  size_t sums_stride, size_t rows, size_t columns, float* y,
                  size_t y_stride) {
  FinishAs(epilogue, sums, sums_stride, rows, columns, y, y_stride);
}

void FinishBf16(const Epilogue& epilogue, const void* sums, size_t sums_stride,
                size_t rows, size_t columns, Bf16* y, size_t y_stride) {
  FinishAs(epilogue, sums, sums_stride, rows, columns, y, y_stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(FinishFloats);
HWY_EXPORT(FinishBf16);

namespace {

constexpr size_t kMaxColumns = 256;

void Store(std::span<const float> values, float* to) {
  std::ranges::copy(values, to);
}

void Store(std::span<const float> values, Bf16* to) { ToBf16(values, to); }

// Row by row: activations that are no vectors yet.
template <typename Out>
void FinishSlowly(const Epilogue& epilogue, const void* sums,
                  size_t sums_stride, size_t rows, size_t columns, Out* y,
                  size_t y_stride) {
  float row[kMaxColumns];
  const std::span<float> values(row, columns);
  Epilogue linear = epilogue;
  linear.activation = Activation::kLinear;
  for (size_t r = 0; r < rows; ++r) {
    const float* from = static_cast<const float*>(sums) + r * sums_stride;
    HWY_DYNAMIC_DISPATCH(FinishFloats)
    (linear, from, sums_stride, 1, columns, row, columns);
    if (linear.rows != nullptr) ++linear.rows;
    ApplyActivation(epilogue.activation, values);
    Store(values, y + r * y_stride);
  }
}

bool HasVectors(const Epilogue& epilogue) {
  return epilogue.activation == Activation::kLinear ||
         epilogue.activation == Activation::kGelu;
}

}  // namespace

void Finish(const Epilogue& epilogue, const void* sums, size_t sums_stride,
            size_t rows, size_t columns, float* y, size_t y_stride) {
  const auto finish = HasVectors(epilogue) ? HWY_DYNAMIC_DISPATCH(FinishFloats)
                                           : FinishSlowly<float>;
  finish(epilogue, sums, sums_stride, rows, columns, y, y_stride);
}

void Finish(const Epilogue& epilogue, const void* sums, size_t sums_stride,
            size_t rows, size_t columns, Bf16* y, size_t y_stride) {
  const auto finish = HasVectors(epilogue) ? HWY_DYNAMIC_DISPATCH(FinishBf16)
                                           : FinishSlowly<Bf16>;
  finish(epilogue, sums, sums_stride, rows, columns, y, y_stride);
}

}  // namespace deberta::model

#endif  // HWY_ONCE
