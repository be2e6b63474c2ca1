// Models that read the caller's labels: the committed directories against what
// the reference packages computed, and batches against sequences alone.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/candidate_spans.h"
#include "model/model.h"
#include "tests/model/golden_labels.h"
#include "tests/model/golden_model.h"

namespace deberta::model {
namespace {

using ::testing::HasSubstr;

// Of the largest logit of all sequences.
constexpr double kGoldenTolerance = 2e-5;

std::string Directory(const std::string& name) {
  return absl::StrCat(DEBERTA_SOURCE_DIR "/tests/golden/label_heads/", name);
}

std::vector<std::string> AllModels() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Directory(""))) {
    if (std::filesystem::exists(entry.path() / "golden.safetensors"))
      names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

std::unique_ptr<const Model> Load(const std::string& name,
                                  Precision precision = Precision::kFp32) {
  auto model = Model::Load(Directory(name), {.precision = precision});
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

std::vector<LabelSequence> ReadSequences(const std::string& name) {
  const auto golden = GoldenFile::Open(Directory(name));
  EXPECT_TRUE(golden.ok()) << golden.status();
  return golden.ok() ? ReadLabelSequences(*golden)
                     : std::vector<LabelSequence>();
}

std::vector<float> RunAlone(const Model& model, const LabelSequence& sequence,
                            Workspace& workspace) {
  auto logits = LabelLogits(model, sequence, workspace);
  EXPECT_TRUE(logits.ok()) << logits.status();
  return logits.ok() ? *std::move(logits) : std::vector<float>();
}

class LabelHeadsTest : public ::testing::TestWithParam<std::string> {};

TEST_P(LabelHeadsTest, GivesTheReferencesLogits) {
  const auto model = Load(GetParam());
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->head(), Head::kNone);
  ASSERT_NE(model->label_head(), nullptr);
  Workspace workspace(1);
  std::vector<float> actual;
  std::vector<float> expected;
  for (const LabelSequence& sequence : ReadSequences(GetParam())) {
    const std::vector<float> logits =
        WithoutPadding(RunAlone(*model, sequence, workspace));
    ASSERT_EQ(logits.size(), sequence.logits.size());
    actual.insert(actual.end(), logits.begin(), logits.end());
    expected.insert(expected.end(), sequence.logits.begin(),
                    sequence.logits.end());
  }
  ASSERT_FALSE(expected.empty());
  EXPECT_LE(DifferenceOfScale(actual, expected), kGoldenTolerance);
}

TEST_P(LabelHeadsTest, BatchesGiveWhatSequencesGiveAlone) {
  for (const Precision precision :
       {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    const auto model = Load(GetParam(), precision);
    ASSERT_NE(model, nullptr);
    Workspace one(1);
    Workspace three(3);
    const std::vector<LabelSequence> sequences = ReadSequences(GetParam());
    RaggedBatch batch;
    for (const LabelSequence& sequence : sequences)
      AppendLabels(sequence, &batch);
    // One whose words and labels nobody reads, in between and at the end.
    batch.readings[2] = nullptr;
    AppendLabels(sequences[0], &batch);
    batch.readings.pop_back();
    BatchOutput output;
    ASSERT_TRUE(model->Forward(batch, three, &output).ok());
    ASSERT_EQ(output.word_logits.size(), sequences.size());
    for (size_t s = 0; s < sequences.size(); ++s) {
      EXPECT_EQ(
          output.word_logits[s],
          s == 2 ? std::vector<float>() : RunAlone(*model, sequences[s], one))
          << s;
    }
  }
}

// Sequences that are given up leave the others as they are.
TEST_P(LabelHeadsTest, KeepsReadingsOfSequencesThatAreStillWanted) {
  const auto model = Load(GetParam());
  ASSERT_NE(model, nullptr);
  Workspace workspace(2);
  const std::vector<LabelSequence> sequences = ReadSequences(GetParam());
  RaggedBatch batch;
  for (const LabelSequence& sequence : sequences)
    AppendLabels(sequence, &batch);
  BatchOutput output;
  ASSERT_TRUE(model
                  ->Forward(batch, workspace, &output,
                            {.still_wanted = [](size_t s) { return s != 1; }})
                  .ok());
  ASSERT_EQ(output.word_logits.size(), sequences.size());
  for (size_t s = 0; s < sequences.size(); ++s) {
    if (s == 1) continue;
    EXPECT_EQ(output.word_logits[s], RunAlone(*model, sequences[s], workspace));
  }
}

// The whole batch's hidden states can be had beside.
TEST_P(LabelHeadsTest, GivesHiddenStatesToo) {
  const auto model = Load(GetParam());
  ASSERT_NE(model, nullptr);
  Workspace workspace(1);
  const std::vector<LabelSequence> sequences = ReadSequences(GetParam());
  RaggedBatch both;
  AppendLabels(sequences[1], &both);
  both.hidden_rows = {0, 2};
  RaggedBatch hidden = both;
  hidden.readings.clear();
  BatchOutput with;
  BatchOutput without;
  ASSERT_TRUE(model->Forward(both, workspace, &with).ok());
  ASSERT_TRUE(model->Forward(hidden, workspace, &without).ok());
  EXPECT_EQ(with.hidden, without.hidden);
  EXPECT_EQ(with.word_logits[0], RunAlone(*model, sequences[1], workspace));
}

// What becomes of `sequence` once `spoil` has changed what is read of it.
template <typename Spoil>
absl::Status RunSpoilt(const Model& model, LabelSequence sequence,
                       const Spoil& spoil, Workspace& workspace) {
  WordReading reading = *sequence.reading;
  spoil(reading);
  sequence.reading = std::make_shared<const WordReading>(reading);
  RaggedBatch batch;
  AppendLabels(sequence, &batch);
  BatchOutput output;
  return model.Forward(batch, workspace, &output);
}

TEST_P(LabelHeadsTest, RefusesReadingsThatAreNotOfTheSequence) {
  const auto model = Load(GetParam());
  ASSERT_NE(model, nullptr);
  Workspace workspace(1);
  const LabelSequence good = ReadSequences(GetParam())[0];
  const auto length = static_cast<uint32_t>(good.ids.size());
  const auto refused = [&](const auto& spoil) {
    const absl::Status status = RunSpoilt(*model, good, spoil, workspace);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  };
  refused([&](WordReading& r) { r.labels.back() = length; });
  refused([&](WordReading& r) {
    r.word_begins.push_back(0);
    r.word_ends.push_back(length + 1);
  });
  refused([&](WordReading& r) { r.word_begins.push_back(0); });
  refused([&](WordReading& r) {
    r.word_begins.push_back(2);
    r.word_ends.push_back(1);
  });
}

INSTANTIATE_TEST_SUITE_P(Golden, LabelHeadsTest,
                         ::testing::ValuesIn(AllModels()),
                         [](const auto& test) { return test.param; });

// A word without tokens is a zero vector, and is scored.
TEST(LabelHeadsEdgeTest, WordsWithoutTokensAndTextsWithoutWordsAreScored) {
  const auto model = Load("gliner_v0");
  ASSERT_NE(model, nullptr);
  Workspace workspace(1);
  LabelSequence sequence = ReadSequences("gliner_v0")[0];
  WordReading reading = *sequence.reading;
  const size_t words = reading.word_begins.size();
  reading.word_ends[1] = reading.word_begins[1];
  sequence.reading = std::make_shared<const WordReading>(reading);
  const std::vector<float> logits = RunAlone(*model, sequence, workspace);
  ASSERT_EQ(logits.size(), words * model->label_head()->max_span_words);
  EXPECT_TRUE(std::ranges::all_of(
      logits, [](float logit) { return std::isfinite(logit); }));

  reading.word_begins.clear();
  reading.word_ends.clear();
  sequence.reading = std::make_shared<const WordReading>(reading);
  EXPECT_THAT(RunAlone(*model, sequence, workspace), ::testing::IsEmpty());
  reading = *ReadSequences("gliner_v0")[0].reading;
  reading.labels.clear();
  sequence.reading = std::make_shared<const WordReading>(reading);
  EXPECT_THAT(RunAlone(*model, sequence, workspace), ::testing::IsEmpty());
}

TEST(LabelHeadsEdgeTest, ClassesNeedTheirTextAndTheEndsOfTheirLabels) {
  const auto model = Load("gliclass_average");
  ASSERT_NE(model, nullptr);
  Workspace workspace(1);
  const LabelSequence good = ReadSequences("gliclass_average").back();
  ASSERT_GT(good.reading->labels.size(), 1u);
  const auto status = [&](const auto& spoil) {
    return RunSpoilt(*model, good, spoil, workspace);
  };
  EXPECT_TRUE(status([](WordReading&) {}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(
      status([](WordReading& r) { r.word_ends[0] = r.word_begins[0]; })));
  EXPECT_TRUE(absl::IsInvalidArgument(
      status([](WordReading& r) { r.label_ends.pop_back(); })));
  EXPECT_TRUE(absl::IsInvalidArgument(
      status([](WordReading& r) { r.label_ends[0] = r.labels[0]; })));
  // Without labels there is nothing to score.
  const auto none = [](WordReading& r) {
    r.labels.clear();
    r.label_ends.clear();
  };
  EXPECT_TRUE(status(none).ok());
}

TEST(LabelHeadsEdgeTest, GroupsShareOutTheLabels) {
  const auto model = Load("gliner2_v2");
  ASSERT_NE(model, nullptr);
  Workspace workspace(1);
  const LabelSequence good = ReadSequences("gliner2_v2").back();
  ASSERT_GT(good.reading->groups.size(), 1u);
  const auto length = static_cast<uint32_t>(good.ids.size());
  const auto status = [&](const auto& spoil) {
    return RunSpoilt(*model, good, spoil, workspace);
  };
  EXPECT_TRUE(status([](WordReading&) {}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(
      status([=](WordReading& r) { r.groups[1].prompt = length; })));
  EXPECT_TRUE(absl::IsInvalidArgument(
      status([](WordReading& r) { ++r.groups[1].labels; })));
  EXPECT_TRUE(absl::IsInvalidArgument(
      status([](WordReading& r) { r.groups.pop_back(); })));
  EXPECT_TRUE(absl::IsInvalidArgument(
      status([](WordReading& r) { r.labels.pop_back(); })));
  // More than are ever counted is as many as are counted.
  EXPECT_TRUE(
      status([](WordReading& r) { r.groups[0].most_instances = 1000; }).ok());
  EXPECT_TRUE(status([](WordReading& r) { r = {}; }).ok());
}

// An instance that nobody looks for is counted, but not given.
TEST(LabelHeadsEdgeTest, GivesNoMoreInstancesThanAreLookedFor) {
  const auto model = Load("gliner2_lstm");
  ASSERT_NE(model, nullptr);
  Workspace workspace(1);
  size_t dropped = 0;
  for (LabelSequence& sequence : ReadSequences("gliner2_lstm")) {
    const std::vector<float> all = RunAlone(*model, sequence, workspace);
    WordReading reading = *sequence.reading;
    reading.groups.resize(1);
    reading.labels.resize(reading.groups[0].labels);
    reading.groups[0].most_instances = 20;
    sequence.reading = std::make_shared<const WordReading>(reading);
    const std::vector<float> whole = RunAlone(*model, sequence, workspace);
    ASSERT_FALSE(whole.empty());
    reading.groups[0].most_instances = 1;
    sequence.reading = std::make_shared<const WordReading>(reading);
    const std::vector<float> one = RunAlone(*model, sequence, workspace);
    const size_t instance = reading.word_begins.size() *
                            model->label_head()->max_span_words *
                            reading.labels.size();
    ASSERT_EQ(whole.size(), 1 + static_cast<size_t>(whole[0]) * instance);
    ASSERT_EQ(one.size(), whole[0] > 0 ? 1 + instance : 1);
    EXPECT_TRUE(std::ranges::equal(one, std::span(whole).first(one.size())));
    dropped += whole.size() - one.size();
  }
  EXPECT_GT(dropped, 0u);
}

TEST(LabelHeadsEdgeTest, ModelsWithoutSuchAHeadRefuseReadings) {
  auto model =
      Model::Load(DEBERTA_SOURCE_DIR "/tests/golden/models/v1_classify", {});
  ASSERT_TRUE(model.ok()) << model.status();
  Workspace workspace(1);
  RaggedBatch batch;
  batch.ids = {1, 2};
  batch.type_ids = {0, 0};
  batch.starts = {0, 2};
  batch.readings = {std::make_shared<const WordReading>()};
  BatchOutput output;
  EXPECT_THAT((*model)->Forward(batch, workspace, &output).message(),
              HasSubstr("reads none"));
}

TEST(CandidateSpansTest, StartsMeetEndsOverWordsInside) {
  constexpr float kYes = 4;
  constexpr float kNo = -4;
  // Start, end, inside of four words, one label.
  const std::vector<float> logits = {kYes, kNo,  kYes, kYes, kYes, 0,
                                     kNo,  kYes, kYes, kNo,  kYes, kNo};
  const auto found = [&](LabelHeadKind kind) {
    std::vector<std::pair<uint32_t, uint32_t>> spans;
    ForEachCandidateSpan(kind, logits, std::vector<float>{0.5f},
                         [&](const CandidateSpan& span) {
                           spans.emplace_back(span.first, span.last);
                           EXPECT_FLOAT_EQ(span.score, 0.5f);
                         });
    return spans;
  };
  // The second word's inside is exactly at the threshold.
  EXPECT_THAT(found(LabelHeadKind::kTokens),
              ::testing::ElementsAre(std::pair(0, 1), std::pair(0, 2),
                                     std::pair(1, 1), std::pair(1, 2)));
  EXPECT_THAT(found(LabelHeadKind::kTokensAndSpans), ::testing::IsEmpty());
}

}  // namespace
}  // namespace deberta::model
