// Which instructions this test process runs on.

#ifndef TESTS_MODEL_TEST_ISA_H_
#define TESTS_MODEL_TEST_ISA_H_

namespace deberta::model {

bool UsesAvx512();

}  // namespace deberta::model

#endif  // TESTS_MODEL_TEST_ISA_H_
