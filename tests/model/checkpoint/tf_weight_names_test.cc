#include "model/checkpoint/tf_weight_names.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;

constexpr Family kV1 = Family::kDeberta;
constexpr Family kV2 = Family::kDebertaV2;

TEST(TfVariableNameTest, FollowsTransformers) {
  const std::pair<const char*, const char*> kNames[] = {
      {"deberta/embeddings/word_embeddings/weight:0",
       "deberta.embeddings.word_embeddings.weight"},
      {"deberta/embeddings/position_embeddings/embeddings:0",
       "deberta.embeddings.position_embeddings.weight"},
      {"deberta/embeddings/token_type_embeddings/embeddings:0",
       "deberta.embeddings.token_type_embeddings.weight"},
      {"deberta/embeddings/embed_proj/kernel:0",
       "deberta.embeddings.embed_proj.weight"},
      {"deberta/embeddings/LayerNorm/gamma:0",
       "deberta.embeddings.LayerNorm.weight"},
      {"deberta/encoder/rel_embeddings.weight:0",
       "deberta.encoder.rel_embeddings.weight"},
      {"deberta/encoder/layer_._11/attention/self/q_bias:0",
       "deberta.encoder.layer.11.attention.self.q_bias"},
      {"deberta/encoder/layer_._0/attention/output/LayerNorm/beta:0",
       "deberta.encoder.layer.0.attention.output.LayerNorm.bias"},
      {"cls/predictions/bias:0", "cls.predictions.bias"},
      {"pooler/dense/kernel", "pooler.dense.weight"},
      {"kernel", "weight"},
      {"", ""},
      {"/", "."},
  };
  for (const auto& [name, expected] : kNames) {
    EXPECT_EQ(TfVariableName(name, kV1), expected);
    EXPECT_EQ(TfVariableName(name, kV2), expected);
  }
}

// TFDebertaV2 kept v1's names, which PyTorch's v2 did not.
TEST(TfVariableNameTest, RenamesPositionProjectionsOfV2) {
  const std::string self = "deberta/encoder/layer_._3/attention/self/";
  const std::string torch = "deberta.encoder.layer.3.attention.self.";
  EXPECT_EQ(TfVariableName(self + "pos_proj/kernel:0", kV1),
            torch + "pos_proj.weight");
  EXPECT_EQ(TfVariableName(self + "pos_proj/kernel:0", kV2),
            torch + "pos_key_proj.weight");
  EXPECT_EQ(TfVariableName(self + "pos_q_proj/bias:0", kV1),
            torch + "pos_q_proj.bias");
  EXPECT_EQ(TfVariableName(self + "pos_q_proj/bias:0", kV2),
            torch + "pos_query_proj.bias");
}

TEST(TfVariableNameTest, DropsTheModelsName) {
  EXPECT_EQ(WithoutTfModelName("tf_deberta_model_1/deberta/x:0"),
            "deberta/x:0");
  EXPECT_EQ(WithoutTfModelName("x:0"), "x:0");
}

// A file with one tensor of 0, 1, 2, ...
class TfWeightsTest : public testing::Test {
 protected:
  template <typename T>
  absl::StatusOr<TfWeights> MapOne(const std::string& name, DType dtype,
                                   std::vector<int64_t> shape,
                                   TfNames names = TfNames::kVariables) {
    size_t count = 1;
    for (const int64_t size : shape) count *= static_cast<size_t>(size);
    std::vector<T> values(count);
    std::iota(values.begin(), values.end(), T{0});
    bytes_.resize(count * sizeof(T));
    std::ranges::copy(std::as_bytes(std::span(values)), bytes_.begin());
    SafetensorsContents file;
    file.tensors[name] = {dtype, std::move(shape), bytes_};
    return MapTfWeights(file, names, kV1);
  }

 private:
  std::vector<std::byte> bytes_;
};

TEST_F(TfWeightsTest, TransposesKernels) {
  for (const auto& [rows, columns] :
       {std::pair<int64_t, int64_t>{2, 3}, {1, 5}, {40, 33}, {100, 64}}) {
    const auto weights =
        MapOne<float>("a/kernel:0", DType::kF32, {rows, columns});
    ASSERT_TRUE(weights.ok()) << weights.status();
    const TensorView& tensor = weights->tensors.at("a.weight");
    EXPECT_THAT(tensor.shape, ElementsAre(columns, rows));
    const std::vector<float> values = ReadFloats(tensor);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        ASSERT_EQ(values[static_cast<size_t>(c * rows + r)],
                  static_cast<float>(r * columns + c));
      }
    }
    EXPECT_THAT(weights->source_names,
                ElementsAre(Pair("a.weight", "a/kernel:0")));
  }
}

TEST_F(TfWeightsTest, ReversesTheAxesOfConvolutions) {
  // [width, in, out] = [2, 3, 2] to [out, in, width].
  const auto weights = MapOne<double>("conv/kernel:0", DType::kF64, {2, 3, 2});
  ASSERT_TRUE(weights.ok()) << weights.status();
  const TensorView& tensor = weights->tensors.at("conv.weight");
  EXPECT_THAT(tensor.shape, ElementsAre(2, 3, 2));
  EXPECT_THAT(ReadFloats(tensor),
              ElementsAre(0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11));
}

TEST_F(TfWeightsTest, TransposesHalves) {
  const auto weights = MapOne<uint16_t>("a/kernel:0", DType::kF16, {2, 2});
  ASSERT_TRUE(weights.ok()) << weights.status();
  const auto bytes = weights->tensors.at("a.weight").bytes;
  EXPECT_THAT(std::vector<int>(
                  {static_cast<int>(bytes[0]), static_cast<int>(bytes[2]),
                   static_cast<int>(bytes[4]), static_cast<int>(bytes[6])}),
              ElementsAre(0, 2, 1, 3));
}

TEST_F(TfWeightsTest, LeavesOtherTensorsInPlace) {
  for (const char* name :
       {"a/embeddings:0", "a/weight:0", "a/gamma:0", "kernels/bias:0"}) {
    const auto weights = MapOne<float>(name, DType::kF32, {2, 3});
    ASSERT_TRUE(weights.ok()) << weights.status();
    EXPECT_THAT(weights->buffers, IsEmpty());
    EXPECT_THAT(weights->tensors.begin()->second.shape, ElementsAre(2, 3));
  }
  const auto empty = MapOne<float>("a/kernel:0", DType::kF32, {0, 3});
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_THAT(empty->tensors.at("a.weight").shape, ElementsAre(3, 0));
}

TEST_F(TfWeightsTest, RefusesKernelsOfOtherShapes) {
  for (const auto& shape : {std::vector<int64_t>{}, {4}, {1, 2, 3, 4}}) {
    const auto weights = MapOne<float>("a/kernel:0", DType::kF32, shape);
    EXPECT_EQ(weights.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(weights.status().message()),
                HasSubstr("\"a/kernel:0\": expected a kernel of 2 or 3 axes"));
  }
}

TEST_F(TfWeightsTest, DropsLayerAndModelOfKerasNames) {
  const auto own = MapOne<float>("cls/m/cls/predictions/bias:0", DType::kF32,
                                 {1}, TfNames::kKerasLayers);
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_THAT(own->tensors, ElementsAre(Key("cls.predictions.bias")));
  EXPECT_THAT(own->skipped, IsEmpty());

  const auto copy = MapOne<float>("cls/m/deberta/embeddings/LayerNorm/beta:0",
                                  DType::kF32, {1}, TfNames::kKerasLayers);
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_THAT(copy->tensors, IsEmpty());
  EXPECT_THAT(copy->skipped,
              ElementsAre(Pair("cls/m/deberta/embeddings/LayerNorm/beta:0",
                               "a copy of another layer's weights")));

  for (const char* name : {"a", "a/b", "a/b/", ""}) {
    const auto weights =
        MapOne<float>(name, DType::kF32, {1}, TfNames::kKerasLayers);
    EXPECT_THAT(std::string(weights.status().message()),
                HasSubstr("expected a name LAYER/MODEL/VARIABLE"));
  }
}

TEST(MapTfWeightsTest, RefusesTwoTensorsForOneName) {
  SafetensorsContents file;
  file.tensors["a/beta:0"] = {DType::kF32, {0}, {}};
  file.tensors["a/bias:0"] = {DType::kF32, {0}, {}};
  const auto weights = MapTfWeights(file, TfNames::kVariables, kV1);
  EXPECT_THAT(
      std::string(weights.status().message()),
      HasSubstr("\"a/bias:0\": a second tensor for the name \"a.bias\""));
}

TEST(MapTfWeightsTest, ReportsOtherTypes) {
  SafetensorsContents file;
  file.other_types["a/m/a/step:0"] = "integer";
  const auto weights = MapTfWeights(file, TfNames::kKerasLayers, kV1);
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_THAT(weights->other_types, ElementsAre(Pair("a.step", "integer")));
  EXPECT_THAT(weights->skipped,
              ElementsAre(Pair("a/m/a/step:0", "of type integer")));
}

}  // namespace
}  // namespace deberta::model
