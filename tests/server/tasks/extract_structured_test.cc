// Structures and relations by a schema: what is read, and how outputs become
// values. tests/e2e/groups_test.py compares with gliner2.

#include "server/tasks/extract_structured.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/tasks/groups_fixture.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> TextsOf(const std::vector<StructuredValue>& values) {
  std::vector<std::string> texts;
  for (const StructuredValue& value : values) texts.push_back(value.text);
  return texts;
}

TEST_F(GroupsTest, ReadsTheSchemaBeforeTheTextInLowerCase) {
  ExtractStructuredRequest request = Letters("Ada.");
  request.structures[0].fields[0].description = "who";
  request.structures[0].fields[1].choices = {"me", "a b"};
  request.relations = {{.name = "of", .description = "d"}};
  auto task = Created<ExtractStructuredTask>(request);
  ASSERT_TRUE(task.ok()) << task.status();
  ASSERT_THAT(task->sequences(), SizeIs(1));
  const SequenceInput& sequence = task->sequences()[0];
  const std::string text = TextOf(sequence);
  EXPECT_THAT(text, HasSubstr("[P]"));
  EXPECT_LT(text.find("[DESCRIPTION]"), text.find("[C]"));
  EXPECT_LT(text.find("[C]"), text.find("[SEP_STRUCT]"));
  EXPECT_LT(text.find("[SEP_STRUCT]"), text.find("[R]"));
  EXPECT_LT(text.find("[R]"), text.find("[SEP_TEXT]"));
  EXPECT_EQ(text.find("A"), text.npos);
  const model::WordReading& reading = *sequence.reading;
  // ( letter: from ( me | a b ) ) ada .
  EXPECT_THAT(reading.word_begins, SizeIs(11));
  ASSERT_THAT(reading.groups, SizeIs(2));
  EXPECT_EQ(reading.groups[0].labels, 2u);
  EXPECT_EQ(reading.groups[1].labels, 2u);
  const int32_t marker = *tokenizer_->TokenToId("[C]");
  EXPECT_EQ(sequence.ids[reading.labels[0]], marker);
  EXPECT_EQ(sequence.ids[reading.labels[1]], marker);
  EXPECT_EQ(sequence.ids[reading.labels[2]], *tokenizer_->TokenToId("[R]"));
  EXPECT_EQ(sequence.ids[reading.groups[1].prompt],
            *tokenizer_->TokenToId("[P]"));
  EXPECT_EQ(reading.word_ends.back(), sequence.ids.size());
}

TEST_F(GroupsTest, ASentenceThatDoesNotEndGetsADot) {
  auto words = [&](const std::string& text) {
    auto task = Created<ExtractStructuredTask>(Letters(text));
    EXPECT_TRUE(task.ok()) << task.status();
    return task->sequences()[0].reading->word_begins.size();
  };
  EXPECT_EQ(words("a b"), 3u);
  EXPECT_EQ(words("a b."), 3u);
  EXPECT_EQ(words("a b?"), 3u);
  EXPECT_EQ(words("a b. "), 4u);
  EXPECT_EQ(words("a b\u3002"), 4u);
}

TEST_F(GroupsTest, InstancesHaveTheirValuesBestFirst) {
  auto task = Created<ExtractStructuredTask>(Letters("a b c"));
  ASSERT_TRUE(task.ok()) << task.status();
  const SequenceOutput output =
      OutputWith(task->sequences()[0],
                 {{.word = 0, .width = 2, .label = 0, .logit = 1},
                  {.word = 1, .label = 0, .logit = 2},
                  {.word = 0, .label = 0, .logit = 0.5f},
                  {.word = 2, .label = 1, .logit = 0},  // exactly 0.5
                  {.word = 0, .label = 1, .logit = -0.1f},
                  {.instance = 1, .word = 0, .label = 0, .logit = -1},
                  {.instance = 2, .word = 0, .label = 1, .logit = 1},
                  {.instance = 2, .word = 1, .label = 1, .logit = 3}});
  const auto results = task->Finish({&output, 1});
  ASSERT_TRUE(results.ok()) << results.status();
  const std::vector<ExtractedStructure>& found = (*results)[0].structures;
  // The second has no value.
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].name, "letter");
  EXPECT_EQ(found[0].fields[0].name, "to");
  EXPECT_THAT(TextsOf(found[0].fields[0].values), ElementsAre("b", "a"));
  EXPECT_THAT(TextsOf(found[0].fields[1].values), ElementsAre("c"));
  EXPECT_THAT(found[1].fields[0].values, IsEmpty());
  EXPECT_THAT(TextsOf(found[1].fields[1].values), ElementsAre("b"));
}

TEST_F(GroupsTest, TheDotIsNoValue) {
  ExtractStructuredRequest request = Letters("\u00e9 b");
  request.offset_unit = OffsetUnit::kUtf8Bytes;
  auto task = Created<ExtractStructuredTask>(request);
  ASSERT_TRUE(task.ok()) << task.status();
  const SequenceOutput output =
      OutputWith(task->sequences()[0], {{.word = 2, .label = 0, .logit = 9},
                                        {.word = 1, .width = 2, .logit = 1},
                                        {.word = 2, .label = 1, .logit = 9}});
  const auto results = task->Finish({&output, 1});
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_THAT((*results)[0].structures, SizeIs(1));
  const auto& fields = (*results)[0].structures[0].fields;
  ASSERT_THAT(TextsOf(fields[0].values), ElementsAre("b"));
  EXPECT_EQ(fields[0].values[0].place, (StructuredValue::Place{3, 4}));
  EXPECT_THAT(fields[1].values, IsEmpty());
}

TEST_F(GroupsTest, ChoicesAreReadOffTheirWords) {
  ExtractStructuredRequest request = {
      .inputs = {"x."},
      .structures = {
          {.name = "s",
           .fields = {{.name = "n", .single = true, .choices = {"a", "b"}},
                      {.name = "m", .choices = {"c", "B"}}}}}};
  auto task = Created<ExtractStructuredTask>(request);
  ASSERT_TRUE(task.ok()) << task.status();
  // ( s: n ( a | b ) , m ( c | B ) ) x .  B is read where b stands.
  const SequenceOutput output =
      OutputWith(task->sequences()[0], {{.word = 4, .label = 0, .logit = 1},
                                        {.word = 6, .label = 0, .logit = 2},
                                        {.word = 11, .label = 1, .logit = 1},
                                        {.word = 13, .label = 1, .logit = 9},
                                        {.word = 6, .label = 1, .logit = 0.5f},
                                        {.word = 16, .label = 1, .logit = 9}});
  const auto results = task->Finish({&output, 1});
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_THAT((*results)[0].structures, SizeIs(1));
  const auto& fields = (*results)[0].structures[0].fields;
  ASSERT_THAT(TextsOf(fields[0].values), ElementsAre("b"));
  EXPECT_FALSE(fields[0].values[0].place.has_value());
  ASSERT_THAT(TextsOf(fields[1].values), ElementsAre("c", "B"));
  EXPECT_FLOAT_EQ(fields[1].values[1].score, 0.6224594f);
}

TEST_F(GroupsTest, RelationsNeedBothSides) {
  auto task = Created<ExtractStructuredTask>(
      {.inputs = {"a b."}, .relations = {{.name = "of", .threshold = 0.8f}}});
  ASSERT_TRUE(task.ok()) << task.status();
  const SequenceOutput output =
      OutputWith(task->sequences()[0],
                 {{.word = 0, .label = 0, .logit = 3},
                  {.word = 1, .label = 1, .logit = 1},
                  {.instance = 1, .word = 0, .label = 0, .logit = 3},
                  {.instance = 1, .word = 1, .label = 0, .logit = 2},
                  {.instance = 1, .word = 1, .label = 1, .logit = 2}});
  const auto results = task->Finish({&output, 1});
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_THAT((*results)[0].relations, SizeIs(1));
  EXPECT_EQ((*results)[0].relations[0].head.text, "a");
  EXPECT_EQ((*results)[0].relations[0].tail.text, "b");
}

TEST_F(GroupsTest, WindowsLeaveOutWhatOneBeforeHad) {
  head_.max_words = 2;
  ExtractStructuredRequest request = Letters("a b c.");
  request.length_policy = LengthPolicy::kWindow;
  request.stride = 1;
  auto task = Created<ExtractStructuredTask>(request);
  ASSERT_TRUE(task.ok()) << task.status();
  // a b [.], b c [.], c .
  ASSERT_THAT(task->sequences(), SizeIs(3));
  EXPECT_THAT(task->sequences()[0].reading->word_begins, SizeIs(3));
  EXPECT_THAT(task->sequences()[2].reading->word_begins, SizeIs(2));
  const std::vector<SequenceOutput> outputs = {
      OutputWith(task->sequences()[0], {{.word = 1, .logit = 1}}),
      OutputWith(
          task->sequences()[1],
          {{.word = 0, .logit = 2}, {.instance = 1, .word = 1, .logit = 2}}),
      OutputWith(task->sequences()[2], {})};
  const auto results = task->Finish(outputs);
  ASSERT_TRUE(results.ok()) << results.status();
  const auto& found = (*results)[0].structures;
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(TextsOf(found[0].fields[0].values), ElementsAre("b"));
  EXPECT_THAT(TextsOf(found[1].fields[0].values), ElementsAre("c"));
  EXPECT_EQ((*results)[0].coverage.windows, 3u);
}

}  // namespace
}  // namespace deberta::server
