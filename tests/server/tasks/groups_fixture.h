// A model that reads groups of labels, without its network, and what that might
// give.

#ifndef TESTS_SERVER_TASKS_GROUPS_FIXTURE_H_
#define TESTS_SERVER_TASKS_GROUPS_FIXTURE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "server/tasks/extract_structured.h"
#include "tests/server/tasks/whole_task.h"
#include "tokenizer/loader.h"

namespace deberta::server {

// Of a span that is not found, and words of the widest.
inline constexpr float kNo = -20;
inline constexpr size_t kWidest = 3;

class GroupsTest : public ::testing::Test {
 protected:
  GroupsTest() {
    auto tokenizer = tokenizer::LoadTokenizer(
        DEBERTA_SOURCE_DIR "/tests/golden/label_heads/gliner2_lstm");
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = *std::move(tokenizer);
    head_ = {.kind = model::LabelHeadKind::kGroups, .max_span_words = kWidest};
    model_ = {.tokenizer = tokenizer_.get(),
              .config = &config_,
              .max_tokens = 512,
              .label_head = &head_};
  }

  template <typename T>
  absl::StatusOr<WholeTask<T>> Created(typename T::Request request) {
    return Whole(T::Create(std::move(request), model_));
  }
  template <typename T = ExtractStructuredTask>
  std::string Blamed(typename T::Request request) {
    const absl::Status status = Created<T>(std::move(request)).status();
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
    return InputErrorField(status);
  }
  std::string TextOf(const SequenceInput& sequence) const {
    std::string text;
    for (const int32_t id : sequence.ids)
      text += std::string(tokenizer_->IdToToken(id)) + " ";
    return text;
  }

  std::unique_ptr<const tokenizer::Tokenizer> tokenizer_;
  model::Config config_;
  model::LabelHead head_;
  TaskModel model_;
};

// What stands in an output: of a group and an instance, the logit of the span
// of `width` words from `word` on, for a label.
struct Spot {
  size_t group = 0;
  size_t instance = 0;
  size_t word = 0;  // those before the text included
  size_t width = 1;
  size_t label = 0;
  float logit = 0;
};

// One output; each group counts as many instances as its spots have.
inline SequenceOutput OutputWith(const SequenceInput& sequence,
                                 const std::vector<Spot>& spots) {
  const model::WordReading& reading = *sequence.reading;
  SequenceOutput output;
  for (size_t g = 0; g < reading.groups.size(); ++g) {
    const size_t labels = reading.groups[g].labels;
    size_t instances = 0;
    for (const Spot& spot : spots) {
      if (spot.group == g) instances = std::max(instances, spot.instance + 1);
    }
    output.values.push_back(static_cast<float>(instances));
    const size_t first = output.values.size();
    const size_t size = reading.word_begins.size() * kWidest * labels;
    output.values.resize(first + instances * size, kNo);
    for (const Spot& spot : spots) {
      if (spot.group != g) continue;
      output.values[first + spot.instance * size +
                    (spot.word * kWidest + spot.width - 1) * labels +
                    spot.label] = spot.logit;
    }
  }
  output.width = output.values.size();
  return output;
}

inline ExtractStructuredRequest Letters(const std::string& input) {
  return {.inputs = {input},
          .structures = {
              {.name = "letter",
               .fields = {{.name = "to"}, {.name = "from", .single = true}}}}};
}

}  // namespace deberta::server

#endif  // TESTS_SERVER_TASKS_GROUPS_FIXTURE_H_
