// Which of two backends is to compute a model's products of one shape.

#ifndef MODEL_GEMM_COMPARISON_H_
#define MODEL_GEMM_COMPARISON_H_

#include "model/gemm/gemm.h"

namespace deberta::model {

// Whether `other` is at least as fast as `own` with few rows, some and many,
// by running both for some milliseconds. Stops at the first that it is not.
bool IsAtLeastAsFast(const Gemm& other, const Gemm& own);

// Whether `gemm` gives a row the same bits in every number of rows, as far as
// one weight shows: far, since what is added up in which order does not depend
// on values.
bool RowsAreIndependent(const Gemm& gemm);

}  // namespace deberta::model

#endif  // MODEL_GEMM_COMPARISON_H_
