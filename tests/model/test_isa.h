// Which instructions this test process runs on.

#ifndef TESTS_MODEL_TEST_ISA_H_
#define TESTS_MODEL_TEST_ISA_H_

namespace deberta::model {

// A row's result is then the same to the bit whatever stands beside it.
bool UsesAvx512();

// How far rows of the golden models may differ when computed in other company,
// of scale: below AVX-512 the order of sums depends on the number of rows, and
// these checkpoints' large weights multiply the roundings.
inline double CompanyTolerance() { return UsesAvx512() ? 0 : 5e-6; }

}  // namespace deberta::model

#endif  // TESTS_MODEL_TEST_ISA_H_
