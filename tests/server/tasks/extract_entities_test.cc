// Entities of the caller's labels: against gliner 0.2.29, and where it has no
// counterpart.

#include "server/tasks/extract_entities.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/tasks/shared/request_checks.h"
#include "tests/server/tasks/golden_cases.h"
#include "tests/server/tasks/whole_task.h"

namespace deberta::server {
namespace {

using model::LabelHeadKind;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string kNotUtf8 = "secret \xff";

class ExtractEntitiesTest : public ::testing::Test {
 protected:
  ExtractEntitiesTest() {
    head_ = {.kind = LabelHeadKind::kSpans,
             .max_words = 24,
             .max_span_words = 4,
             .label_token = "<<ENT>>",
             .label_token_id = *tokenizer_->TokenToId("<<ENT>>"),
             .separator_token = "<<SEP>>"};
    model_ = {.tokenizer = tokenizer_,
              .config = &config_,
              .max_tokens = 512,
              .label_head = &head_};
  }

  absl::StatusOr<WholeTask<ExtractEntitiesTask>> Created(
      ExtractEntitiesRequest request) {
    return Whole(ExtractEntitiesTask::Create(std::move(request), model_));
  }

  // The field that is blamed; "" if the request is accepted.
  std::string Blamed(ExtractEntitiesRequest request) {
    const absl::Status status = Created(std::move(request)).status();
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
    }
    return InputErrorField(status);
  }

  std::string Message(ExtractEntitiesRequest request) {
    return std::string(Created(std::move(request)).status().message());
  }

  const tokenizer::Tokenizer* tokenizer_ = &GoldenTokenizer("gliner");
  model::Config config_;
  model::LabelHead head_;
  TaskModel model_;
};

// What run_batch() of make_entity_golden.py gives.
std::vector<SequenceOutput> FakeWordLogits(
    std::span<const SequenceInput> sequences, uint64_t seed, float scale,
    float shift) {
  std::vector<SequenceOutput> outputs;
  for (SequenceInput sequence : sequences) {
    sequence.rows = {0};
    outputs.push_back(FakeOutputs(
        {&sequence, 1},
        {.seed = seed, .width = sequence.reading_values, .scale = scale})[0]);
    for (float& value : outputs.back().values) value += shift;
  }
  return outputs;
}

ExtractEntitiesRequest RequestOf(const json& c) {
  ExtractEntitiesRequest request = {
      .inputs = {c["text"]},
      .threshold = c["threshold"],
      .overlap = {.nested = c["nested"], .multi_label = c["multi_label"]},
      .length_policy = LengthPolicy::kTruncate};
  for (const json& label : c["labels"]) {
    request.labels.push_back({.name = label[0], .description = label[1]});
  }
  return request;
}

void ExpectBestLabels(const json& expected,
                      const std::vector<LabelScore>& labels) {
  ASSERT_EQ(labels.size(), expected.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    EXPECT_EQ(labels[i].index, expected[i][0].get<int32_t>());
    EXPECT_NEAR(labels[i].score, expected[i][1].get<double>(),
                ScoreTolerance(expected[i][1]));
  }
}

TEST_F(ExtractEntitiesTest, EqualsGliner) {
  const std::vector<json> cases = GoldenCases("extract_entities");
  ASSERT_GE(cases.size(), 300u);
  for (const json& c : cases) {
    SCOPED_TRACE(c.dump());
    const bool spans = c["kind"] == "markerV0";
    head_.kind = spans ? LabelHeadKind::kSpans : LabelHeadKind::kTokens;
    ExtractEntitiesRequest request = RequestOf(c);
    if (spans) request.top_k = 5;
    auto task = Created(request);
    ASSERT_TRUE(task.ok()) << task.status();
    ASSERT_EQ(json(Digests(task->sequences())), c["sequences"]);
    const auto results = task->Finish(
        FakeWordLogits(task->sequences(), c["seed"], spans ? 1.0f : 0.75f,
                       spans ? -4.0f : 1.0f));
    ASSERT_TRUE(results.ok()) << results.status();
    ASSERT_THAT(*results, SizeIs(1));
    const std::vector<ExtractedEntity>& entities = (*results)[0].entities;
    ASSERT_EQ(entities.size(), c["results"].size());
    for (size_t i = 0; i < entities.size(); ++i) {
      const json& expected = c["results"][i];
      EXPECT_EQ(entities[i].label_index, expected[0].get<uint32_t>());
      EXPECT_EQ(entities[i].label, request.labels[expected[0]].name);
      EXPECT_EQ(entities[i].start, expected[1].get<uint32_t>());
      EXPECT_EQ(entities[i].end, expected[2].get<uint32_t>());
      EXPECT_NEAR(entities[i].score, expected[3].get<double>(),
                  ScoreTolerance(expected[3]));
      if (spans) ExpectBestLabels(expected[4], entities[i].labels);
    }
  }
}

TEST_F(ExtractEntitiesTest, SaysWhichTokensAreReadOfWordsAndLabels) {
  auto task = Created({.inputs = {"Oslo, 1994"},
                       .labels = {{.name = "place"}, {.name = "a date"}}});
  ASSERT_TRUE(task.ok()) << task.status();
  ASSERT_THAT(task->sequences(), SizeIs(1));
  const SequenceInput& sequence = task->sequences()[0];
  const model::WordReading& reading = *sequence.reading;
  EXPECT_EQ(sequence.readout, Readout::kWordLogits);
  ASSERT_THAT(reading.labels, SizeIs(2));
  for (const uint32_t label : reading.labels) {
    EXPECT_EQ(sequence.ids[label], head_.label_token_id);
  }
  ASSERT_THAT(reading.word_begins, SizeIs(3));
  EXPECT_EQ(sequence.ids[reading.word_begins[0] - 1],
            *tokenizer_->TokenToId("<<SEP>>"));
  EXPECT_EQ(reading.word_begins[1], reading.word_ends[0]);
  EXPECT_EQ(reading.word_begins[2], reading.word_ends[1]);
  EXPECT_EQ(reading.word_ends[2] + 1, sequence.ids.size());
  EXPECT_EQ(sequence.reading_values, 3u * 4 * 2);
  EXPECT_EQ(task->coverage()[0].tokens_total, sequence.ids.size());

  head_.reads_label_token = false;
  task = Created({.inputs = {"Oslo"}, .labels = {{.name = "place"}}});
  ASSERT_TRUE(task.ok()) << task.status();
  const SequenceInput& after = task->sequences()[0];
  EXPECT_EQ(after.ids[after.reading->labels[0] - 1], head_.label_token_id);
}

// One logit for spans of `width` words from the first word of each window, and
// far less for all others.
std::vector<SequenceOutput> OneSpan(std::span<const SequenceInput> sequences,
                                    size_t widest, size_t width,
                                    std::vector<float> logits) {
  std::vector<SequenceOutput> outputs;
  for (const SequenceInput& sequence : sequences) {
    const size_t words = sequence.reading->word_begins.size();
    const size_t labels = sequence.reading->labels.size();
    SequenceOutput& output = outputs.emplace_back();
    output.values.assign(words * widest * labels, -20);
    output.width = output.values.size();
    for (size_t word = 0; word + width <= words; ++word) {
      output.values[(word * widest + width - 1) * labels] =
          logits[std::min(outputs.size(), logits.size()) - 1];
    }
  }
  return outputs;
}

TEST_F(ExtractEntitiesTest, WindowsShareWordsAndTakeTheHighestScore) {
  head_.max_words = 3;
  auto task = Created({.inputs = {"a b c d e"},
                       .labels = {{.name = "x"}},
                       .overlap = {.nested = true},
                       .offset_unit = OffsetUnit::kUtf8Bytes,
                       .length_policy = LengthPolicy::kWindow,
                       .stride = 2});
  ASSERT_TRUE(task.ok()) << task.status();
  // abc, bcd, cde: the second is sure.
  ASSERT_THAT(task->sequences(), SizeIs(3));
  const auto results =
      task->Finish(OneSpan(task->sequences(), 4, 1, {1.0f, 2.0f, 0.5f}));
  ASSERT_TRUE(results.ok()) << results.status();
  std::vector<std::pair<std::string, float>> found;
  for (const ExtractedEntity& entity : (*results)[0].entities) {
    found.emplace_back(entity.text, entity.score);
  }
  const float one = 0.7310586f;
  const float two = 0.8807971f;
  const float half = 0.6224594f;
  using ::testing::FloatEq;
  using ::testing::Pair;
  EXPECT_THAT(found,
              ElementsAre(Pair("a", FloatEq(one)), Pair("b", FloatEq(two)),
                          Pair("c", FloatEq(two)), Pair("d", FloatEq(two)),
                          Pair("e", FloatEq(half))));
  EXPECT_EQ((*results)[0].coverage.windows, 3u);
  EXPECT_EQ((*results)[0].coverage.tokens_used,
            (*results)[0].coverage.tokens_total);
  EXPECT_FALSE((*results)[0].coverage.truncated);
}

TEST_F(ExtractEntitiesTest, TruncationIsTold) {
  head_.max_words = 2;
  auto task = Created({.inputs = {"a b c d e"},
                       .labels = {{.name = "x"}},
                       .length_policy = LengthPolicy::kTruncate});
  ASSERT_TRUE(task.ok()) << task.status();
  const auto results = task->Finish(OneSpan(task->sequences(), 4, 1, {1.0f}));
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT((*results)[0].entities, SizeIs(2));
  EXPECT_TRUE((*results)[0].coverage.truncated);
  EXPECT_LT((*results)[0].coverage.tokens_used,
            (*results)[0].coverage.tokens_total);
}

TEST_F(ExtractEntitiesTest, WhiteSpaceIsAnsweredWithoutTheModel) {
  const std::string white = " \t\u00a0\u2028\x1f";
  auto task = Created(
      {.inputs = {white, "a", white, white}, .labels = {{.name = "x"}}});
  ASSERT_TRUE(task.ok()) << task.status();
  ASSERT_THAT(task->sequences(), SizeIs(1));
  auto results = task->Finish(OneSpan(task->sequences(), 4, 1, {1.0f}));
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_THAT(*results, SizeIs(4));
  EXPECT_THAT((*results)[0].entities, IsEmpty());
  EXPECT_THAT((*results)[1].entities, SizeIs(1));
  EXPECT_EQ((*results)[3].coverage.tokens_total, 0u);
  EXPECT_EQ((*results)[3].coverage.windows, 0u);

  task = Created({.inputs = {white}, .labels = {{.name = "x"}}});
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_THAT(task->sequences(), IsEmpty());
  results = task->Finish({});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT(*results, SizeIs(1));
}

TEST_F(ExtractEntitiesTest, EachLabelHasItsThreshold) {
  auto task =
      Created({.inputs = {"a"},
               .labels = {{.name = "x"}, {.name = "y", .threshold = 0.9f}},
               .overlap = {.multi_label = true}});
  ASSERT_TRUE(task.ok()) << task.status();
  // A score of 0.73 for both.
  std::vector<SequenceOutput> outputs =
      OneSpan(task->sequences(), 4, 1, {1.0f});
  outputs[0].values[1] = 1.0f;
  const auto results = task->Finish(outputs);
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_THAT((*results)[0].entities, SizeIs(1));
  EXPECT_EQ((*results)[0].entities[0].label, "x");
}

TEST_F(ExtractEntitiesTest, OffsetsAreInTheUnitAskedFor) {
  for (const auto& [unit, start] :
       {std::pair(OffsetUnit::kCodePoints, 2u),
        std::pair(OffsetUnit::kUtf8Bytes, 5u),
        std::pair(OffsetUnit::kUtf16CodeUnits, 3u)}) {
    auto task = Created({.inputs = {"\U0001f600 Oslo"},
                         .labels = {{.name = "x"}},
                         .offset_unit = unit});
    ASSERT_TRUE(task.ok()) << task.status();
    const auto results = task->Finish(OneSpan(task->sequences(), 4, 1, {1.0f}));
    ASSERT_TRUE(results.ok()) << results.status();
    ASSERT_THAT((*results)[0].entities, SizeIs(2));
    EXPECT_EQ((*results)[0].entities[1].text, "Oslo");
    EXPECT_EQ((*results)[0].entities[1].start, start);
    EXPECT_EQ((*results)[0].entities[1].end, start + 4);
  }
}

TEST_F(ExtractEntitiesTest, RefusesBadRequestsByField) {
  const std::vector<std::string> good = {"a b"};
  const std::vector<EntityLabel> labels = {{.name = "x"}};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Blamed({.inputs = good, .labels = labels}), "");
  EXPECT_EQ(Blamed({.inputs = {}, .labels = labels}), "inputs");
  EXPECT_EQ(Blamed({.inputs = {"a", ""}, .labels = labels}), "inputs[1]");
  EXPECT_EQ(Blamed({.inputs = {kNotUtf8}, .labels = labels}), "inputs[0]");
  EXPECT_EQ(Blamed({.inputs = good, .labels = {}}), "labels");
  EXPECT_EQ(Blamed({.inputs = good, .labels = {{.name = ""}}}),
            "labels[0].name");
  EXPECT_EQ(Blamed({.inputs = good, .labels = {{.name = kNotUtf8}}}),
            "labels[0].name");
  EXPECT_EQ(Blamed({.inputs = good, .labels = {{.name = "x"}, {.name = "x"}}}),
            "labels[1].name");
  EXPECT_EQ(
      Blamed({.inputs = good,
              .labels = {{.name = "x"}, {.name = "y", .description = "x"}}}),
      "labels[1].description");
  EXPECT_EQ(Message({.inputs = good,
                     .labels = {{.name = "x"}, {.name = "a <<ENT>> b"}}}),
            "labels[1].name: must not hold a special token of the model, "
            "<<ENT>>");
  EXPECT_EQ(Blamed({.inputs = good,
                    .labels = {{.name = "x", .description = "a [SEP]"}}}),
            "labels[0].description");
  EXPECT_EQ(Blamed({.inputs = good, .labels = {{.name = "\u65e5"}}}), "")
      << "unknown characters are no special token";
  for (const float threshold : {0.0f, 1.0f, -1.0f, nan}) {
    EXPECT_EQ(
        Blamed({.inputs = good, .labels = labels, .threshold = threshold}),
        "threshold");
    EXPECT_EQ(Blamed({.inputs = good,
                      .labels = {{.name = "x", .threshold = threshold}}}),
              "labels[0].threshold");
  }
  EXPECT_EQ(Blamed({.inputs = good, .labels = labels, .stride = -1}), "stride");
  EXPECT_EQ(Blamed({.inputs = good, .labels = labels, .top_k = -1}), "top_k");
  EXPECT_EQ(Blamed({.inputs = good,
                    .labels = labels,
                    .length_policy = LengthPolicy::kWindow,
                    .stride = 24}),
            "stride");
}

TEST_F(ExtractEntitiesTest, SaysWhatIsTooLong) {
  head_.max_words = 2;
  EXPECT_EQ(Message({.inputs = {"a", "a b c"}, .labels = {{.name = "x"}}}),
            "inputs[1]: has 3 words, the limit is 2");
  head_.max_words = 0;
  model_.max_tokens = 8;
  EXPECT_THAT(
      Message({.inputs = {"a b c d e f g"}, .labels = {{.name = "x"}}}),
      HasSubstr("tokens with the labels and the special ones, the limit is 8"));
  model_.max_tokens = 4;
  EXPECT_THAT(Message({.inputs = {"a"}, .labels = {{.name = "x y z"}}}),
              HasSubstr("labels: leave no room for a text"));
}

TEST_F(ExtractEntitiesTest, BoundsTheScoresOfOneSequence) {
  head_.max_words = 0;
  model_.max_tokens = 1 << 20;
  std::string text;
  for (int i = 0; i < 2100; ++i) text += "a ";
  std::vector<EntityLabel> labels;
  for (int i = 0; i < 500; ++i) labels.push_back({.name = std::to_string(i)});
  EXPECT_THAT(Message({.inputs = {text}, .labels = labels}),
              HasSubstr("inputs[0]: asks for too many scores at a time: 500 "
                        "labels over 2100 words are 4200000, the limit is "
                        "4194304"));
}

TEST_F(ExtractEntitiesTest, NeedsAHeadThatFindsEntities) {
  head_.kind = LabelHeadKind::kClasses;
  const ExtractEntitiesRequest request = {.inputs = {"a"},
                                          .labels = {{.name = "x"}}};
  EXPECT_TRUE(absl::IsFailedPrecondition(Created(request).status()));
  model_.label_head = nullptr;
  EXPECT_TRUE(absl::IsFailedPrecondition(Created(request).status()));
}

TEST_F(ExtractEntitiesTest, RefusesOutputsThatAreNotWhatWasAsked) {
  const ExtractEntitiesRequest request = {.inputs = {"a b"},
                                          .labels = {{.name = "x"}}};
  auto task = Created(request);
  std::vector<SequenceOutput> outputs =
      OneSpan(task->sequences(), 4, 1, {1.0f});
  outputs[0].values.pop_back();
  EXPECT_TRUE(absl::IsInternal(task->Finish(outputs).status()));
  outputs[0].values.push_back(std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(std::string(Created(request)->Finish(outputs).status().message()),
              HasSubstr("holds NaN"));
  EXPECT_TRUE(absl::IsInternal(Created(request)->Finish({}).status()));
}

}  // namespace
}  // namespace deberta::server
