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

// sum c_i x^i, from the highest down.
template <class D, size_t n>
HWY_INLINE hn::Vec<D> Horner(D d, hn::Vec<D> x,
                             const float (&coefficients)[n]) {
  auto sum = hn::Set(d, coefficients[0]);
  for (size_t i = 1; i < n; ++i) {
    sum = hn::MulAdd(sum, x, hn::Set(d, coefficients[i]));
  }
  return sum;
}

// a / b to 2^-22, for b of normal size.
template <class D>
HWY_INLINE hn::Vec<D> Quotient(D d, hn::Vec<D> a, hn::Vec<D> b) {
#if HWY_ARCH_X86
  // Twelve bits at least, and one step of Newton's; a division takes longer.
  const auto rough = hn::ApproximateReciprocal(b);
  const auto rest = hn::NegMulAdd(b, rough, hn::Set(d, 2.0f));
  return hn::Mul(a, hn::Mul(rough, rest));
#else
  static_cast<void>(d);
  return hn::Div(a, b);
#endif
}

// x / 2 (1 + erf(x / sqrt 2)), within 1e-6 and 2e-7 of |x|. The error function
// is z P(z^2) / Q(z^2), minimax for z within +-3.95, beyond which it is 1 in
// fp32.
template <class D>
HWY_INLINE hn::Vec<D> RationalGelu(D d, hn::Vec<D> x) {
  constexpr float kP[] = {1.96394296381186e-08f,   -1.991354793062783e-06f,
                          1.5132663247641176e-04f, 4.089787602424622e-03f,
                          5.177633836865425e-02f,  2.08987757563591e-01f,
                          1.1283787488937378f};
  constexpr float kQ[] = {1.0509504936635494e-03f, 1.5131318010389805e-02f,
                          1.1875059455633163e-01f, 5.185389518737793e-01f,
                          1.0f};
  const auto scaled = hn::Mul(x, hn::Set(d, 0.707106781f));
  const auto z =
      hn::Max(hn::Min(scaled, hn::Set(d, 3.95f)), hn::Set(d, -3.95f));
  const auto square = hn::Mul(z, z);
  const auto erf =
      Quotient(d, hn::Mul(z, Horner(d, square, kP)), Horner(d, square, kQ));
  const auto half = hn::Mul(x, hn::Set(d, 0.5f));
  return hn::MulAdd(half, erf, half);
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_LAYERS_ACTIVATION_INL_H_
