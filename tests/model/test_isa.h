// Which instructions this test process runs on.

#ifndef TESTS_MODEL_TEST_ISA_H_
#define TESTS_MODEL_TEST_ISA_H_

namespace deberta::model {

// A row's result is then the same to the bit whatever stands beside it.
bool UsesAvx512();

}  // namespace deberta::model

#endif  // TESTS_MODEL_TEST_ISA_H_
