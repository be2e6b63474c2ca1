// Between jobs and the model: lays sequences end to end, and cuts the output
// apart again.

#ifndef SERVER_BATCHING_PACKING_H_
#define SERVER_BATCHING_PACKING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/observers.h"
#include "model/runtime/batch.h"
#include "server/batching/job_queue.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

// Appends one sequence, and the rows that are read of it.
void AppendSequence(const SequenceInput& input, model::RaggedBatch* packed);

struct PackedBatch {
  model::RaggedBatch batch;  // one sequence an input
  // Of each entry's rows, in order: where the output has their values. Entries
  // that read the same row of an input share it. None of kWordLogits.
  std::vector<std::vector<uint32_t>> places;
};

PackedBatch Pack(const Batch& batch);

// Cuts a batch's output into that of each entry. Rows of logits of which an
// entry keeps the best columns are taken while the batch is computed.
class Unpacker {
 public:
  // Both outlive this.
  Unpacker(const Batch& batch, const PackedBatch& packed);

  // To be given to the batch; null if it has no entry with `best`. This
  // outlives it.
  model::LogitConsumer take_logits();

  // One output an entry, in order; of rows that did not come, anything. Once.
  std::vector<SequenceOutput> Finish(const model::BatchOutput& output);

 private:
  // Row `row` of the rows that an entry reads.
  struct Reader {
    size_t entry = 0;
    size_t row = 0;
  };

  void TakeRow(size_t place, std::span<const float> logits);
  std::span<const float> RowAt(size_t place, bool head,
                               const model::BatchOutput& output) const;

  const Batch& batch_;
  const PackedBatch& packed_;
  std::vector<SequenceOutput> outputs_;  // [entries]
  // Of each row of logits; empty if the batch has no entry with `best`.
  std::vector<std::vector<Reader>> readers_;
  std::vector<std::vector<float>> whole_rows_;  // that were taken
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_PACKING_H_
