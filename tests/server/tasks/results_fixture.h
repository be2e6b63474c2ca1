// A small model's view for tests of what tasks make of outputs.

#ifndef TESTS_SERVER_TASKS_RESULTS_FIXTURE_H_
#define TESTS_SERVER_TASKS_RESULTS_FIXTURE_H_

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/server/tasks/golden_cases.h"
#include "tests/server/tasks/whole_task.h"

namespace deberta::server {

class ResultsTest : public ::testing::Test {
 protected:
  ResultsTest() {
    config_.vocab_size = tokenizer_->vocab_size();
    model_ = {.tokenizer = tokenizer_,
              .config = &config_,
              .labels = labels_,
              .max_tokens = 8};
  }

  template <Task T>
  WholeTask<T> Created(typename T::Request request) {
    absl::StatusOr<T> task = T::Create(std::move(request), model_);
    EXPECT_TRUE(task.ok()) << task.status();
    return WholeTask<T>(*std::move(task));
  }

  const tokenizer::Tokenizer* tokenizer_ = &GoldenTokenizer("v1");
  const std::vector<std::string> labels_ = {"O", "B-PER", "I-PER"};
  model::Config config_;
  TaskModel model_;
};

// One output a sequence, the same values in every row.
inline std::vector<SequenceOutput> Constant(
    std::span<const SequenceInput> sequences, const std::vector<float>& row) {
  std::vector<SequenceOutput> outputs;
  for (const SequenceInput& sequence : sequences) {
    SequenceOutput& output = outputs.emplace_back();
    output.width = row.size();
    for (size_t i = 0; i < sequence.rows.size(); ++i) {
      output.values.insert(output.values.end(), row.begin(), row.end());
    }
    KeepBest(sequence, &output);
  }
  return outputs;
}

}  // namespace deberta::server

#endif  // TESTS_SERVER_TASKS_RESULTS_FIXTURE_H_
