#include "server/batching/packing.h"

#include <memory>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/batching/stand_in_model.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Batch TakeAll(std::vector<SequenceInput> sequences) {
  JobQueue queue({.max_batch_tokens = 1 << 20, .max_queue_tokens = 1 << 20});
  Job job = {.sequences = std::move(sequences)};
  EXPECT_TRUE(queue.Push(job, absl::UnixEpoch()).ok());
  return queue.TakeBatch(absl::UnixEpoch());
}

// Of a sequence whose ids and type ids are these, row `row`: what a model might
// compute, of the whole sequence.
std::vector<float> Row(std::span<const int32_t> ids,
                       std::span<const int32_t> types, uint32_t row,
                       bool logits) {
  float sum = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    sum = sum * 3 + static_cast<float>(ids[i] * 2 + types[i]);
  }
  const auto position = static_cast<float>(row);
  if (logits) return {sum, position};
  return {-sum, position, sum + 1};
}

model::BatchOutput Compute(const model::RaggedBatch& batch) {
  model::BatchOutput output;
  output.logit_width = 2;
  output.hidden_width = 3;
  const auto append = [&](uint32_t row, bool logits, std::vector<float>& to) {
    const size_t s = batch.SequenceOf(row);
    const size_t start = batch.starts[s];
    const size_t length = batch.starts[s + 1] - start;
    const std::vector<float> values =
        Row(std::span(batch.ids).subspan(start, length),
            std::span(batch.type_ids).subspan(start, length),
            row - batch.starts[s], logits);
    to.insert(to.end(), values.begin(), values.end());
  };
  for (const uint32_t row : batch.logit_rows) append(row, true, output.logits);
  for (const uint32_t row : batch.hidden_rows)
    append(row, false, output.hidden);
  return output;
}

TEST(PackingTest, LaysSequencesEndToEnd) {
  const Batch batch = TakeAll({{.ids = {1, 2}, .type_ids = {0, 1}, .rows = {0}},
                               {.ids = {3, 4, 5},
                                .type_ids = {0, 0, 1},
                                .rows = {0, 2},
                                .readout = Readout::kHiddenStates},
                               {.ids = {6}, .type_ids = {0}, .rows = {0}}});
  const PackedBatch packed = Pack(batch);
  EXPECT_THAT(packed.batch.ids, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(packed.batch.type_ids, ElementsAre(0, 1, 0, 0, 1, 0));
  EXPECT_THAT(packed.batch.starts, ElementsAre(0, 2, 5, 6));
  EXPECT_THAT(packed.batch.logit_rows, ElementsAre(0, 5));
  EXPECT_THAT(packed.batch.hidden_rows, ElementsAre(2, 4));
}

TEST(PackingTest, EqualSequencesAndTheirRowsStandOnce) {
  const Batch batch =
      TakeAll({{.ids = {1, 2, 3}, .type_ids = {0, 0, 0}, .rows = {1}},
               {.ids = {4}, .type_ids = {0}, .rows = {0}},
               {.ids = {1, 2, 3}, .type_ids = {0, 0, 0}, .rows = {0, 1, 2}},
               {.ids = {1, 2, 3},
                .type_ids = {0, 0, 0},
                .rows = {2},
                .readout = Readout::kHiddenStates},
               {.ids = {1, 2, 3}, .type_ids = {0, 0, 1}, .rows = {1}}});
  const PackedBatch packed = Pack(batch);
  EXPECT_THAT(packed.batch.ids, ElementsAre(1, 2, 3, 4, 1, 2, 3));
  EXPECT_THAT(packed.batch.starts, ElementsAre(0, 3, 4, 7));
  EXPECT_THAT(packed.batch.logit_rows, ElementsAre(1, 3, 0, 2, 5));
  EXPECT_THAT(packed.batch.hidden_rows, ElementsAre(2));
  EXPECT_THAT(packed.places,
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2, 0, 3),
                          ElementsAre(0), ElementsAre(4)));
}

std::vector<SequenceOutput> Outputs(const Batch& batch,
                                    const PackedBatch& packed) {
  Unpacker unpacker(batch, packed);
  model::BatchOutput output = Compute(packed.batch);
  HandOut({.take_logits = unpacker.take_logits()}, &output);
  return unpacker.Finish(output);
}

SequenceOutput Expected(const SequenceInput& sequence) {
  const bool logits = sequence.readout == Readout::kHeadLogits;
  const BestColumns* best = sequence.best.get();
  SequenceOutput expected = {.width = logits ? size_t{2} : size_t{3}};
  if (best != nullptr) expected.width = best->count;
  std::vector<float> scratch;
  for (const uint32_t row : sequence.rows) {
    std::vector<float> values =
        Row(sequence.ids, sequence.type_ids, row, logits);
    if (best != nullptr) {
      std::vector<int32_t> columns(best->count);
      std::vector<float> scores(best->count);
      best->Take(values, columns, scores, &scratch);
      expected.columns.insert(expected.columns.end(), columns.begin(),
                              columns.end());
      values = scores;
    }
    expected.values.insert(expected.values.end(), values.begin(), values.end());
  }
  return expected;
}

class UnpackerTest : public ::testing::TestWithParam<bool> {};

// Few ids and short sequences: most are sent more than once. Of some rows the
// best columns are asked for, if the parameter says so, and of some of these
// both.
TEST_P(UnpackerTest, EveryEntryGetsItsOwnValues) {
  const std::vector<BestColumns> choices = {
      {.count = 1}, {.count = 2}, {.count = 1, .among = {1}}};
  std::mt19937 random(2);
  const auto below = [&](uint32_t n) {
    return static_cast<int32_t>(random() % n);
  };
  size_t repeated = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<SequenceInput> sequences(1 + random() % 20);
    for (SequenceInput& sequence : sequences) {
      const size_t length = 1 + random() % 3;
      for (size_t i = 0; i < length; ++i) {
        sequence.ids.push_back(below(2));
        sequence.type_ids.push_back(below(8) == 0);
        if (below(2) == 0) sequence.rows.push_back(static_cast<uint32_t>(i));
      }
      if (sequence.rows.empty()) sequence.rows = {0};
      if (below(3) == 0) {
        sequence.readout = Readout::kHiddenStates;
      } else if (GetParam() && below(2) == 0) {
        sequence.best = std::make_shared<const BestColumns>(
            choices[random() % choices.size()]);
      }
    }
    const Batch batch = TakeAll(sequences);
    const PackedBatch packed = Pack(batch);
    EXPECT_EQ(packed.batch.tokens(), batch.tokens);
    EXPECT_EQ(packed.batch.sequences(), batch.inputs);
    repeated += sequences.size() - batch.inputs;
    const std::vector<SequenceOutput> outputs = Outputs(batch, packed);
    ASSERT_EQ(outputs.size(), sequences.size());
    for (size_t s = 0; s < sequences.size(); ++s) {
      const SequenceOutput expected = Expected(sequences[s]);
      EXPECT_EQ(outputs[s].values, expected.values);
      EXPECT_EQ(outputs[s].width, expected.width);
      EXPECT_EQ(outputs[s].columns, expected.columns);
    }
  }
  EXPECT_GT(repeated, 1000u);
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutBest, UnpackerTest, ::testing::Bool());

// Whole rows come with the output: no head is computed in tiles for them.
TEST(PackingTest, LogitsAreTakenOnlyForTheBestOfThem) {
  const auto takes = [](std::vector<SequenceInput> sequences) {
    const Batch batch = TakeAll(std::move(sequences));
    const PackedBatch packed = Pack(batch);
    return Unpacker(batch, packed).take_logits() != nullptr;
  };
  const SequenceInput whole = {.ids = {1}, .type_ids = {0}, .rows = {0}};
  SequenceInput best = whole;
  best.best = std::make_shared<const BestColumns>();
  EXPECT_FALSE(takes({whole, whole}));
  EXPECT_TRUE(takes({whole, best}));
}

TEST(PackingTest, EmptyBatch) {
  const PackedBatch packed = Pack(Batch());
  EXPECT_EQ(packed.batch.sequences(), 0u);
  EXPECT_THAT(packed.places, IsEmpty());
}

std::shared_ptr<const model::WordReading> Reading(uint32_t label) {
  return std::make_shared<const model::WordReading>(model::WordReading{
      .word_begins = {1}, .word_ends = {2}, .labels = {label}});
}

// Equal tokens of which other labels are read are other inputs.
TEST(PackingTest, ReadingsTravelWithTheirSequences) {
  const auto word_logits = [](uint32_t label) {
    return SequenceInput{.ids = {1, 2, 3},
                         .type_ids = {0, 0, 0},
                         .readout = Readout::kWordLogits,
                         .reading = Reading(label)};
  };
  const Batch batch =
      TakeAll({{.ids = {1, 2, 3}, .type_ids = {0, 0, 0}, .rows = {0}},
               word_logits(1),
               word_logits(2),
               word_logits(1),
               {.ids = {4}, .type_ids = {0}, .rows = {0}}});
  const PackedBatch packed = Pack(batch);
  ASSERT_EQ(packed.batch.sequences(), 4u);
  ASSERT_EQ(packed.batch.readings.size(), 3u);
  EXPECT_EQ(packed.batch.readings[0], nullptr);
  EXPECT_EQ(*packed.batch.readings[1], *Reading(1));
  EXPECT_EQ(*packed.batch.readings[2], *Reading(2));
  EXPECT_THAT(packed.batch.logit_rows, ElementsAre(0, 9));

  model::BatchOutput output = Compute(packed.batch);
  output.word_logits = {{}, {1, 2, 3}, {4}};
  const std::vector<SequenceOutput> outputs =
      Unpacker(batch, packed).Finish(output);
  EXPECT_THAT(outputs[1].values, ElementsAre(1, 2, 3));
  EXPECT_EQ(outputs[1].width, 3u);
  EXPECT_THAT(outputs[2].values, ElementsAre(4));
  EXPECT_THAT(outputs[3].values, ElementsAre(1, 2, 3));
  EXPECT_EQ(outputs[4].values.size(), 2u);
}

}  // namespace
}  // namespace deberta::server
