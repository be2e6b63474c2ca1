// Between jobs and the model: lays sequences end to end, and cuts the output
// apart again.

#ifndef SERVER_BATCHING_PACKING_H_
#define SERVER_BATCHING_PACKING_H_

#include <cstdint>
#include <vector>

#include "model/runtime/batch.h"
#include "server/batching/job_queue.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

// Appends one sequence, and the rows that are read of it.
void AppendSequence(const SequenceInput& input, model::RaggedBatch* packed);

struct PackedBatch {
  model::RaggedBatch batch;  // one sequence an input
  // Of each entry's rows, in order: where the output has their values. Entries
  // that read the same row of an input share it.
  std::vector<std::vector<uint32_t>> places;
};

PackedBatch Pack(const Batch& batch);

// One output an entry, in order.
std::vector<SequenceOutput> Unpack(const Batch& batch,
                                   const PackedBatch& packed,
                                   const model::BatchOutput& output);

}  // namespace deberta::server

#endif  // SERVER_BATCHING_PACKING_H_
