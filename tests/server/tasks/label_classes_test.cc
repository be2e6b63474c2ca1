// Zero-shot classification by a head of GLiClass: against gliclass 0.1.16, and
// where it has no counterpart.

#include "server/tasks/label_classes.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/checkpoint/label_config.h"
#include "nlohmann/json.hpp"
#include "server/tasks/zero_shot.h"
#include "tests/server/tasks/whole_task.h"
#include "tokenizer/loader.h"

namespace deberta::server {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kModels[] = DEBERTA_SOURCE_DIR "/tests/golden/label_heads/";

// Of all the models.
const tokenizer::Tokenizer& GliclassTokenizer() {
  static const auto* const tokenizer =
      tokenizer::LoadTokenizer(std::string(kModels) + "gliclass_simple")
          ->release();
  return *tokenizer;
}

json Cases() {
  std::ifstream file(std::string(kModels) + "classes.json");
  return json::parse(file, nullptr, /*allow_exceptions=*/false);
}

model::LabelModel ModelNamed(const std::string& name) {
  auto model = model::ReadLabelModel(kModels + name);
  EXPECT_TRUE(model.ok() && model->has_value()) << model.status();
  return model.ok() && model->has_value() ? **std::move(model)
                                          : model::LabelModel();
}

class LabelClassesTest : public ::testing::Test {
 protected:
  LabelClassesTest() { Use("gliclass_simple"); }

  void Use(const std::string& name) {
    label_model_ = ModelNamed(name);
    label_model_.encoder.vocab_size = GliclassTokenizer().vocab_size();
    head_ = model::HeadOf(label_model_.config);
    model_ = {.tokenizer = &GliclassTokenizer(),
              .config = &label_model_.encoder,
              .max_tokens = head_.max_tokens,
              .label_head = &head_};
  }

  absl::StatusOr<WholeTask<ZeroShotTask>> Created(ZeroShotRequest request) {
    return Whole(ZeroShotTask::Create(std::move(request), model_));
  }
  std::string Blamed(ZeroShotRequest request) {
    return InputErrorField(Created(std::move(request)).status());
  }

  model::LabelModel label_model_;
  model::LabelHead head_;
  TaskModel model_;
};

SequenceOutput Logits(std::vector<float> values) {
  const size_t width = values.size();
  return {.values = std::move(values), .width = width};
}

TEST_F(LabelClassesTest, ReadsTheIdsOfGliclass) {
  const json models = Cases();
  ASSERT_GE(models.size(), 9u);
  for (const auto& [name, cases] : models.items()) {
    Use(name);
    for (const json& c : cases) {
      SCOPED_TRACE(name + c.dump());
      auto task = Created({.inputs = {c["text"]},
                           .labels = c["labels"],
                           .prompt = c["prompt"]});
      ASSERT_TRUE(task.ok()) << task.status();
      ASSERT_THAT(task->sequences(), SizeIs(1));
      const SequenceInput& sequence = task->sequences()[0];
      EXPECT_EQ(json(sequence.ids), c["ids"]);
      EXPECT_EQ(task->coverage()[0].tokens_total, sequence.ids.size());
      EXPECT_EQ(sequence.reading_values, c["labels"].size());
      const model::WordReading& reading = *sequence.reading;
      ASSERT_EQ(reading.labels.size(), c["labels"].size());
      const uint32_t own = head_.reads_label_token ? 0 : 1;
      for (const uint32_t label : reading.labels)
        EXPECT_EQ(sequence.ids[label - own], head_.label_token_id);
      EXPECT_THAT(reading.word_ends, ElementsAre(sequence.ids.size()));
      const uint32_t begin = reading.word_begins[0];
      if (head_.reads_from_separator) {
        EXPECT_EQ(sequence.ids[begin], head_.separator_token_id);
      } else {
        EXPECT_EQ(begin, 0u);
      }
    }
  }
}

TEST_F(LabelClassesTest, AveragesTheTokensOfEachLabel) {
  Use("gliclass_average_after");
  auto task = Created({.inputs = {"one"}, .labels = {"person", "a date"}});
  ASSERT_TRUE(task.ok()) << task.status();
  const SequenceInput& sequence = task->sequences()[0];
  const model::WordReading& reading = *sequence.reading;
  EXPECT_EQ(reading.label_ends[0], reading.labels[1] - 1);
  EXPECT_EQ(reading.label_ends[1], sequence.ids.size());
  Use("gliclass_average");
  task = Created({.inputs = {"one"}, .labels = {"person", "a date"}});
  ASSERT_TRUE(task.ok()) << task.status();
  const model::WordReading& first = *task->sequences()[0].reading;
  EXPECT_THAT(first.label_ends,
              ElementsAre(first.labels[1], first.word_begins[0]));
}

TEST_F(LabelClassesTest, GivesTypesToTheTokensFromTheSeparatorOn) {
  Use("gliclass_segments");
  auto task = Created({.inputs = {"one"}, .labels = {"person"}});
  ASSERT_TRUE(task.ok()) << task.status();
  const SequenceInput& sequence = task->sequences()[0];
  for (size_t i = 0, seen = 0; i < sequence.ids.size(); ++i) {
    if (sequence.ids[i] == head_.separator_token_id) seen = 1;
    EXPECT_EQ(sequence.type_ids[i], static_cast<int32_t>(seen)) << i;
  }
}

TEST_F(LabelClassesTest, ScoresOneOfTheLabelsOrEach) {
  ZeroShotRequest request = {.inputs = {"a"}, .labels = {"x", "y", "z"}};
  auto task = Created(request);
  ASSERT_TRUE(task.ok()) << task.status();
  auto results = task->Finish(std::vector{Logits({0, 1, 0})});
  ASSERT_TRUE(results.ok()) << results.status();
  const std::vector<LabelScore>& best = (*results)[0].labels;
  ASSERT_THAT(best, SizeIs(3));
  EXPECT_EQ(best[0].label, "y");
  EXPECT_NEAR(best[0].score, 0.576117f, 1e-6);
  EXPECT_EQ(best[1].index, 0) << "of equal scores the lower index first";

  request.multi_label = true;
  task = Created(request);
  results = task->Finish(std::vector{Logits({0, 1, -1})});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_NEAR((*results)[0].labels[0].score, 0.731059f, 1e-6);
  EXPECT_NEAR((*results)[0].labels[1].score, 0.5f, 1e-6);
  EXPECT_NEAR((*results)[0].labels[2].score, 0.268941f, 1e-6);
}

TEST_F(LabelClassesTest, CutsTheTextAndNeverTheLabels) {
  model_.max_tokens = 24;
  std::string text = "one";
  for (int i = 0; i < 40; ++i) text += " and one";
  ZeroShotRequest request = {.inputs = {text},
                             .labels = {"person", "protocol"}};
  const absl::Status refused = Created(request).status();
  EXPECT_EQ(InputErrorField(refused), "inputs[0]");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("the limit is 24"));

  request.length_policy = LengthPolicy::kTruncate;
  auto task = Created(request);
  ASSERT_TRUE(task.ok()) << task.status();
  ASSERT_THAT(task->sequences(), SizeIs(1));
  EXPECT_THAT(task->sequences()[0].ids, SizeIs(24));
  EXPECT_THAT(task->sequences()[0].reading->labels, SizeIs(2));
  EXPECT_TRUE(task->coverage()[0].truncated);

  request.length_policy = LengthPolicy::kWindow;
  request.stride = 2;
  task = Created(request);
  ASSERT_TRUE(task.ok()) << task.status();
  const size_t windows = task->sequences().size();
  ASSERT_GT(windows, 2u);
  EXPECT_EQ(task->coverage()[0].windows, windows);
  // The mean of the windows' logits: 1 of one, 0 of the others.
  std::vector<SequenceOutput> outputs(windows, Logits({0, 0}));
  outputs[1] = Logits({0, static_cast<float>(windows)});
  const auto results = task->Finish(outputs);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].labels[0].label, "protocol");
  EXPECT_NEAR((*results)[0].labels[0].score, 0.731059f, 1e-6);
}

TEST_F(LabelClassesTest, BlamesTheFieldThatIsWrong) {
  const std::vector<std::string> inputs = {"a"};
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {"x", "x"}}), "");
  EXPECT_EQ(Blamed({.inputs = {}, .labels = {"x"}}), "inputs");
  EXPECT_EQ(Blamed({.inputs = {"a", ""}, .labels = {"x"}}), "inputs[1]");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {}}), "labels");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {"x", ""}}), "labels[1]");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {"x", "a <<SEP>> b"}}),
            "labels[1]");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {"x<<LABEL>>y"}}), "labels[0]");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {"\xff"}}), "labels[0]");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {"x"}, .prompt = "a <<SEP>>"}),
            "prompt");
  // It is read again beside each text.
  EXPECT_EQ(Blamed({.inputs = std::vector<std::string>(5000, "a"),
                    .labels = {"x"},
                    .prompt = std::string(1000, 'a')}),
            "prompt");
  EXPECT_EQ(Blamed({.inputs = inputs,
                    .labels = {"x"},
                    .hypothesis_template = "It is {}."}),
            "hypothesis_template");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {"x"}, .stride = -1}),
            "stride");
  model_.max_tokens = 5;
  EXPECT_EQ(Blamed({.inputs = inputs,
                    .labels = {"a long label", "another"},
                    .length_policy = LengthPolicy::kWindow}),
            "inputs[0]");
}

// A text may hold what stands for a label: its place is not one.
TEST_F(LabelClassesTest, TextsMayHoldTheLabelToken) {
  auto task = Created({.inputs = {"a <<LABEL>> b"}, .labels = {"x"}});
  ASSERT_TRUE(task.ok()) << task.status();
  const SequenceInput& sequence = task->sequences()[0];
  EXPECT_EQ(std::ranges::count(sequence.ids, head_.label_token_id), 2);
  EXPECT_THAT(sequence.reading->labels, SizeIs(1));
  EXPECT_GT(sequence.reading->labels[0], 3u);
}

}  // namespace
}  // namespace deberta::server
