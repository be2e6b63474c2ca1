// Vectors of activations, compiled once per instruction set.

#if defined(MODEL_LAYERS_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODEL_LAYERS_ACTIVATION_INL_H_
#undef MODEL_LAYERS_ACTIVATION_INL_H_
#else
#define MODEL_LAYERS_ACTIVATION_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// x (1/2 + c P(c^2)), c = x within +-4.5, where c P(c^2) fits erf(c / sqrt 2)
// / 2: minimax with the weight |x|, and exactly 1/2 at the end, up to rounding.
template <class D>
HWY_INLINE hn::Vec<D> PolynomialGelu(D d, hn::Vec<D> x) {
  constexpr float kCoefficients[] = {
      1.58025742e-07f, -4.43168528e-06f, 8.12097205e-05f, -0.00103625329f,
      0.00958065409f,  -0.0659772679f,   0.398708582f};
  const auto c = hn::Max(hn::Min(x, hn::Set(d, 4.5f)), hn::Set(d, -4.5f));
  const auto square = hn::Mul(c, c);
  auto p = hn::MulAdd(hn::Set(d, 3.00000788e-11f), square,
                      hn::Set(d, -3.28391292e-09f));
  for (const float coefficient : kCoefficients) {
    p = hn::MulAdd(p, square, hn::Set(d, coefficient));
  }
  return hn::Mul(x, hn::MulAdd(c, p, hn::Set(d, 0.5f)));
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_LAYERS_ACTIVATION_INL_H_
