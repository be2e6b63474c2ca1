// Rows of a batch, some of which are computed.

#ifndef MODEL_ROWS_H_
#define MODEL_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/runtime/batch.h"

namespace deberta::model {

// Where row `row` of a batch stands among `rows`, ascending, which are all of
// them if there are none.
size_t PlaceOf(std::span<const uint32_t> rows, uint32_t row);

std::vector<uint32_t> SortedUnique(std::vector<uint32_t> rows);

// The first row of each wanted row's sequence.
std::vector<uint32_t> FirstRows(const RaggedBatch& batch);

// Copies rows `wanted` of the batch out of `hidden`, which holds `rows`, to
// `to` [wanted, width].
void Gather(const float* hidden, std::span<const uint32_t> rows,
            std::span<const uint32_t> wanted, size_t width, float* to);

// Adds them.
void GatherAdd(const float* hidden, std::span<const uint32_t> rows,
               std::span<const uint32_t> wanted, size_t width, float* to);

}  // namespace deberta::model

#endif  // MODEL_ROWS_H_
