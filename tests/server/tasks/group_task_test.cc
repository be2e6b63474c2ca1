// Tasks of a model that reads groups of labels: what they have in common, what
// is refused, and entities and classes.

#include "server/tasks/group_task.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/tasks/extract_entities.h"
#include "server/tasks/zero_shot.h"
#include "tests/server/tasks/groups_fixture.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(GroupsTest, WhiteSpaceIsReadForClassesAlone) {
  auto task = Created<ExtractStructuredTask>(Letters(" \t"));
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_THAT(task->sequences(), IsEmpty());
  const auto results = task->Finish({});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT((*results)[0].structures, IsEmpty());
  EXPECT_EQ((*results)[0].coverage.windows, 0u);

  auto classes =
      Created<ZeroShotTask>({.inputs = {" ", "a"}, .labels = {"x", "y"}});
  ASSERT_TRUE(classes.ok()) << classes.status();
  ASSERT_THAT(classes->sequences(), SizeIs(2));
  EXPECT_THAT(classes->sequences()[0].reading->word_begins, SizeIs(1));
  const std::vector<SequenceOutput> outputs = {{.values = {1, 2}, .width = 2},
                                               {.values = {3, 2}, .width = 2}};
  const auto scored = classes->Finish(outputs);
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ((*scored)[0].labels[0].label, "y");
  EXPECT_FLOAT_EQ((*scored)[1].labels[0].score, 0.7310586f);
}

TEST_F(GroupsTest, EntitiesOfDifferentLabelsMayOverlap) {
  ExtractEntitiesRequest request = {.inputs = {"a b c"},
                                    .labels = {{.name = "x"}, {.name = "y"}},
                                    .top_k = 1};
  const auto found = [&] {
    auto task = Created<ExtractEntitiesTask>(request);
    EXPECT_TRUE(task.ok()) << task.status();
    const SequenceOutput output =
        OutputWith(task->sequences()[0],
                   {{.word = 0, .width = 2, .label = 0, .logit = 2},
                    {.word = 0, .label = 0, .logit = 1},
                    {.word = 0, .width = 2, .label = 1, .logit = 3}});
    const auto results = task->Finish({&output, 1});
    EXPECT_TRUE(results.ok()) << results.status();
    std::vector<std::string> texts;
    for (const ExtractedEntity& entity : (*results)[0].entities) {
      texts.push_back(entity.label + "=" + entity.text);
      EXPECT_THAT(entity.labels, SizeIs(1));
    }
    return texts;
  };
  EXPECT_THAT(found(), ElementsAre("y=a b", "x=a b"));
  request.overlap.nested = true;
  EXPECT_THAT(found(), ElementsAre("y=a b", "x=a b", "x=a"));
}

TEST_F(GroupsTest, RefusesBadSchemasByField) {
  const auto with =
      [](const std::function<void(ExtractStructuredRequest&)>& change) {
        ExtractStructuredRequest request = Letters("a");
        change(request);
        return request;
      };
  using R = ExtractStructuredRequest;
  EXPECT_EQ(Blamed(with([](R&) {})), "");
  EXPECT_EQ(Blamed(with([](R& r) { r.inputs.clear(); })), "inputs");
  EXPECT_EQ(Blamed(with([](R& r) { r.inputs[0].clear(); })), "inputs[0]");
  EXPECT_EQ(Blamed(with([](R& r) { r.inputs[0] = "\xff"; })), "inputs[0]");
  EXPECT_EQ(Blamed(with([](R& r) { r.structures.clear(); })), "structures");
  EXPECT_EQ(Blamed(with([](R& r) { r.structures[0].name.clear(); })),
            "structures[0].name");
  EXPECT_EQ(Blamed(with([](R& r) { r.structures[0].name = "a [P]"; })),
            "structures[0].name");
  EXPECT_EQ(Blamed(with([](R& r) { r.structures.push_back(r.structures[0]); })),
            "structures[1].name");
  EXPECT_EQ(Blamed(with([](R& r) { r.relations = {{.name = "letter"}}; })),
            "relations[0].name");
  EXPECT_EQ(Blamed(with([](R& r) {
              r.relations = {{.name = "r", .description = "[SEP_TEXT]"}};
            })),
            "relations[0].description");
  EXPECT_EQ(Blamed(with([](R& r) {
              r.relations = {{.name = "r", .threshold = 1.0f}};
            })),
            "relations[0].threshold");
  EXPECT_EQ(Blamed(with([](R& r) { r.structures[0].fields.clear(); })),
            "structures[0].fields");
  const auto field = [&](const std::function<void(StructureField&)>& change) {
    return Blamed(with([&](R& r) { change(r.structures[0].fields[1]); }));
  };
  using F = StructureField;
  EXPECT_EQ(field([](F& f) { f.name.clear(); }),
            "structures[0].fields[1].name");
  EXPECT_EQ(field([](F& f) { f.name = "to"; }), "structures[0].fields[1].name");
  EXPECT_EQ(field([](F& f) { f.name = "[CLS]"; }),
            "structures[0].fields[1].name");
  EXPECT_EQ(field([](F& f) { f.name = "\xff"; }),
            "structures[0].fields[1].name");
  EXPECT_EQ(field([](F& f) { f.description = "[C]"; }),
            "structures[0].fields[1].description");
  EXPECT_EQ(field([](F& f) { f.threshold = 0.0f; }),
            "structures[0].fields[1].threshold");
  EXPECT_EQ(field([](F& f) {
              f.choices = {"a", ""};
            }),
            "structures[0].fields[1].choices[1]");
  EXPECT_EQ(field([](F& f) {
              f.choices = {"a", "b", "A"};
            }),
            "structures[0].fields[1].choices[2]");
  EXPECT_EQ(field([](F& f) { f.choices = {"\xff"}; }),
            "structures[0].fields[1].choices[0]");
  EXPECT_EQ(field([](F& f) { f.choices = {"[L]"}; }),
            "structures[0].fields[1].choices[0]");
  EXPECT_EQ(Blamed(with([](R& r) {
              r.threshold = std::numeric_limits<float>::quiet_NaN();
            })),
            "threshold");
  EXPECT_EQ(Blamed(with([](R& r) { r.stride = -1; })), "stride");
  EXPECT_EQ(Blamed(with([](R& r) {
              r.structures[0].fields[0].description = std::string(2000, 'x');
            })),
            "structures");
  EXPECT_EQ(Blamed(with([](R& r) {
              r.structures[0].fields[0].description.assign(2 << 20, 'x');
            })),
            "structures");
  EXPECT_EQ(
      Blamed<ZeroShotTask>({.inputs = {"a"}, .labels = {"x"}, .prompt = "[L]"}),
      "prompt");
  EXPECT_EQ(Blamed<ZeroShotTask>({.inputs = {"a"}, .labels = {"[L]"}}),
            "labels[0]");
  EXPECT_EQ(Blamed<ZeroShotTask>({.inputs = {"a"},
                                  .labels = {"x"},
                                  .hypothesis_template = "It is {}."}),
            "hypothesis_template");
  EXPECT_EQ(Blamed<ExtractEntitiesTask>(
                {.inputs = {"a"}, .labels = {{.name = "x"}, {.name = "x"}}}),
            "labels[1].name");
  EXPECT_EQ(
      Blamed<ExtractEntitiesTask>(
          {.inputs = {"a"}, .labels = {{.name = "x", .description = "[E]"}}}),
      "labels[0].description");
}

TEST_F(GroupsTest, NeedsAHeadThatReadsSchemas) {
  head_.kind = model::LabelHeadKind::kSpans;
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ExtractStructuredTask::Create(Letters("a"), model_).status()));
  model_.label_head = nullptr;
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ExtractStructuredTask::Create(Letters("a"), model_).status()));
}

TEST_F(GroupsTest, RefusesOutputsThatAreNotWhatWasAsked) {
  const auto outcome = [&](const std::function<void(SequenceOutput&)>& spoil) {
    auto task = Created<ExtractStructuredTask>(Letters("a"));
    EXPECT_TRUE(task.ok()) << task.status();
    SequenceOutput output =
        OutputWith(task->sequences()[0], {{.word = 0, .logit = 1}});
    spoil(output);
    return task->Finish({&output, 1}).status();
  };
  EXPECT_TRUE(outcome([](SequenceOutput&) {}).ok());
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::function<void(SequenceOutput&)>& spoil :
       std::vector<std::function<void(SequenceOutput&)>>{
           [](SequenceOutput& o) { o.values.pop_back(); },
           [](SequenceOutput& o) { o.values.push_back(0); },
           [](SequenceOutput& o) { o.values.clear(); },
           [](SequenceOutput& o) { o.values[0] = -1; },
           [](SequenceOutput& o) { o.values[0] = 2; },
           [](SequenceOutput& o) { o.values[0] = 1e9f; },
           [nan](SequenceOutput& o) { o.values[3] = nan; }}) {
    EXPECT_TRUE(absl::IsInternal(outcome(spoil)));
  }
  auto task = Created<ExtractStructuredTask>(Letters("a"));
  EXPECT_TRUE(absl::IsInternal(task->Finish({}).status()));
}

}  // namespace
}  // namespace deberta::server
