// A model's place in tests of the scheduler, and callers that ask it.

#ifndef TESTS_SERVER_BATCHING_STAND_IN_MODEL_H_
#define TESTS_SERVER_BATCHING_STAND_IN_MODEL_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "server/batching/scheduler.h"

namespace deberta::server {

// Gives the logits to who takes them, as a model does.
inline void HandOut(const model::ForwardOptions& options,
                    model::BatchOutput* output) {
  if (!options.take_logits) return;
  const size_t width = output->logit_width;
  for (size_t row = 0; row * width < output->logits.size(); ++row) {
    options.take_logits(row,
                        std::span(output->logits).subspan(row * width, width));
  }
  output->logits.clear();
  output->logit_width = 0;
}

// A RunBatch. The "logit" of row r of a sequence is id[r] * 10, so that an
// answer given to the wrong caller shows; hidden states are {id[r], -id[r]}.
// Asks once whether each sequence is wanted; of those that are not, values are
// 0.
inline absl::Status TenTimesId(size_t, const model::RaggedBatch& batch,
                               const model::ForwardOptions& options,
                               model::Workspace& workspace,
                               model::BatchOutput* output) {
  std::vector<float> values(batch.ids.begin(), batch.ids.end());
  bool wanted = false;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    if (options.still_wanted(s)) {
      wanted = true;
    } else {
      std::fill(values.begin() + batch.starts[s],
                values.begin() + batch.starts[s + 1], 0.0f);
    }
  }
  if (!wanted) return absl::CancelledError("nobody waits");
  output->logit_width = 1;
  output->logits.resize(batch.logit_rows.size());
  workspace.pool().ParallelFor(batch.logit_rows.size(), [&](size_t i, int) {
    output->logits[i] = values[batch.logit_rows[i]] * 10;
  });
  HandOut(options, output);
  output->hidden_width = 2;
  for (const uint32_t row : batch.hidden_rows) {
    output->hidden.push_back(values[row]);
    output->hidden.push_back(-values[row]);
  }
  return absl::OkStatus();
}

// A job that reads the logits of every row.
inline Job JobWith(std::vector<std::vector<int32_t>> sequences,
                   std::function<void(absl::StatusOr<JobOutput>)> done,
                   std::string caller = "") {
  Job job;
  job.caller = std::move(caller);
  for (std::vector<int32_t>& ids : sequences) {
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < ids.size(); ++row) rows.push_back(row);
    job.sequences.push_back({.ids = ids,
                             .type_ids = std::vector<int32_t>(ids.size()),
                             .rows = std::move(rows)});
  }
  job.done = std::move(done);
  return job;
}

// One answer, waited for.
class Answer {
 public:
  std::function<void(absl::StatusOr<JobOutput>)> Callback() {
    return [this](absl::StatusOr<JobOutput> output) {
      output_ = std::move(output);
      arrived_.set_value();  // a second call throws
    };
  }
  const absl::StatusOr<JobOutput>& Wait() {
    future_.wait();
    return output_;
  }
  bool HasArrived() const {
    return future_.wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  }

 private:
  std::promise<void> arrived_;
  std::future<void> future_ = arrived_.get_future();
  absl::StatusOr<JobOutput> output_;
};

// Lets the test decide when the first batch runs.
class Gate {
 public:
  Scheduler::RunBatch Wrap() {
    return [this](size_t queue, const model::RaggedBatch& batch,
                  const model::ForwardOptions& options,
                  model::Workspace& workspace, model::BatchOutput* output) {
      if (!passed_.exchange(true)) {
        entered_.set_value();
        opened_.get_future().wait();
      }
      return TenTimesId(queue, batch, options, workspace, output);
    };
  }
  void WaitUntilEntered() { entered_.get_future().wait(); }
  void Open() { opened_.set_value(); }

 private:
  std::atomic<bool> passed_ = false;
  std::promise<void> entered_;
  std::promise<void> opened_;
};

inline void IgnoreReport(const Scheduler::BatchReport&) {}

}  // namespace deberta::server

#endif  // TESTS_SERVER_BATCHING_STAND_IN_MODEL_H_
