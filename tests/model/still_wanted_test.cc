// Sequences that nobody waits for any more leave the batch between layers, and
// leave the others' results as they were.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/model.h"
#include "model/runtime/isa.h"
#include "tests/model/golden_model.h"

namespace deberta::model {
namespace {

using testing::Each;
using testing::ElementsAre;

std::unique_ptr<const Model> LoadModel(const std::string& directory,
                                       Precision precision = Precision::kFp32) {
  Model::Options options;
  options.precision = precision;
  options.checkpoint.hdf5_reader = DEBERTA_HDF5_READER;
  auto model =
      Model::Load(absl::StrCat(DEBERTA_SOURCE_DIR, "/", directory), options);
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

// Four layers; the golden models have two or three.
constexpr char kFourLayers[] = "demo/section-classifier";

std::vector<std::string> AllModels() {
  std::vector<std::string> names;
  for (const std::string parent : {"demo", "tests/golden/models"}) {
    for (const auto& entry : std::filesystem::directory_iterator(
             absl::StrCat(DEBERTA_SOURCE_DIR, "/", parent))) {
      if (std::filesystem::exists(entry.path() / "config.json")) {
        names.push_back(parent + "/" + entry.path().filename().string());
      }
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

RaggedBatch RandomBatch(const Model& model, size_t sequences,
                        std::mt19937& random) {
  const auto ids = [&](size_t n, int64_t below) {
    std::vector<int32_t> result(n);
    for (int32_t& id : result) {
      id = static_cast<int32_t>(random() % static_cast<uint64_t>(below));
    }
    return result;
  };
  BatchBuilder builder(model.head());
  for (size_t s = 0; s < sequences; ++s) {
    const size_t length = 1 + random() % 24;
    builder.Add(
        ids(length, model.config().vocab_size),
        ids(length, std::max<int64_t>(model.config().type_vocab_size, 1)));
  }
  RaggedBatch& batch = builder.batch();
  for (uint32_t row = 0; row < batch.tokens(); row += 3) {
    batch.hidden_rows.push_back(row);
  }
  std::shuffle(batch.hidden_rows.begin(), batch.hidden_rows.end(), random);
  return batch;
}

// `expected` in the rows of sequences that `kept` says, zeros in the others.
std::vector<float> Survivors(const RaggedBatch& batch,
                             const std::vector<uint32_t>& rows, size_t width,
                             const std::vector<bool>& kept,
                             std::vector<float> expected) {
  for (size_t r = 0; r < rows.size(); ++r) {
    if (kept[batch.SequenceOf(rows[r])]) continue;
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(r * width),
                width, 0.0f);
  }
  return expected;
}

class StillWantedTest : public testing::TestWithParam<std::string> {};

TEST_P(StillWantedTest, SurvivorsDoNotNotice) {
  std::mt19937 random(5);
  for (const Precision precision :
       {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    SCOPED_TRACE(PrecisionName(precision));
    const auto model = LoadModel(GetParam(), precision);
    ASSERT_NE(model, nullptr);
    Workspace workspace(2);
    for (int round = 0; round < 4; ++round) {
      const RaggedBatch batch = RandomBatch(*model, 6, random);
      BatchOutput expected;
      ASSERT_TRUE(model->Forward(batch, workspace, &expected).ok());

      // How often a sequence is found wanted; none is asked for more often.
      std::vector<int> patience(batch.sequences());
      for (int& times : patience) times = static_cast<int>(random() % 4);
      patience[random() % patience.size()] = 100;
      std::vector<bool> kept(batch.sequences(), true);
      BatchOutput output;
      const auto still_wanted = [&](size_t s) {
        EXPECT_TRUE(kept[s]) << "asked again of " << s;
        kept[s] = patience[s]-- > 0;
        return kept[s];
      };
      // Half of the time the logits are taken row by row.
      std::vector<float> taken(expected.logits.size(), 0.0f);
      ForwardOptions options = {.still_wanted = still_wanted};
      if (round % 2 == 1) {
        options.take_logits = [&](size_t row, std::span<const float> logits) {
          std::ranges::copy(logits, &taken[row * expected.logit_width]);
        };
        options.tile_floats = 1;
      }
      ASSERT_TRUE(model->Forward(batch, workspace, &output, options).ok());
      if (options.take_logits) output.logits = taken;
      EXPECT_EQ(output.logits,
                Survivors(batch, batch.logit_rows, expected.logit_width, kept,
                          expected.logits));
      EXPECT_EQ(output.hidden,
                Survivors(batch, batch.hidden_rows, expected.hidden_width, kept,
                          expected.hidden));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, StillWantedTest, testing::ValuesIn(AllModels()),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& c : name) {
                             if (c == '/' || c == '-') c = '_';
                           }
                           return name;
                         });

// Two sequences of 3 and 2 tokens, of which the first leaves after layer 2.
TEST(StillWantedTest, RowsThatNobodyWantsAreNotComputed) {
  const auto model = LoadModel(kFourLayers);
  ASSERT_NE(model, nullptr);
  RaggedBatch batch;
  batch.ids = {1, 2, 3, 4, 5};
  batch.type_ids = {0, 0, 0, 0, 0};
  batch.starts = {0, 3, 5};
  batch.logit_rows = {3, 0};
  const auto width = static_cast<size_t>(model->config().hidden_size);
  std::vector<size_t> rows;
  int layers = 0;
  Workspace workspace(1);
  BatchOutput output;
  ASSERT_TRUE(
      model
          ->Forward(
              batch, workspace, &output,
              {.observer =
                   [&](int64_t layer, std::span<const float> hidden) {
                     layers = static_cast<int>(layer);
                     rows.push_back(hidden.size() / width);
                   },
               .still_wanted = [&](size_t s) { return s == 1 || layers < 2; }})
          .ok());
  EXPECT_THAT(rows, ElementsAre(5, 5, 5, 2, 2));
  const auto logits = std::span(output.logits);
  EXPECT_THAT(logits.subspan(output.logit_width), Each(0.0f));
  EXPECT_NE(logits[0], 0.0f);
}

TEST(StillWantedTest, StopsWhenNobodyWaits) {
  const auto model = LoadModel(kFourLayers);
  ASSERT_NE(model, nullptr);
  std::mt19937 random(3);
  const RaggedBatch batch = RandomBatch(*model, 3, random);
  Workspace workspace(2);
  BatchOutput expected;
  ASSERT_TRUE(model->Forward(batch, workspace, &expected).ok());
  BatchOutput output;
  int layers = 0;
  const absl::Status status =
      model->Forward(batch, workspace, &output,
                     {.observer = [&](auto, auto) { ++layers; },
                      .still_wanted = [](size_t) { return false; }});
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(layers, 2) << "the embeddings and one layer";
  ASSERT_TRUE(model->Forward(batch, workspace, &output).ok());
  EXPECT_EQ(output.logits, expected.logits);
}

}  // namespace
}  // namespace deberta::model
