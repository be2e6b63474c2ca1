#include "model/weights/weights.h"

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/weights/edited_model.h"

namespace deberta::model {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(WeightsTest, BindsEveryGoldenModel) {
  size_t models = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(GoldenModel(""))) {
    const std::string name = entry.path().filename();
    const auto checkpoint = Opened(entry.path());
    const absl::StatusOr<Weights> weights = BindWeights(*checkpoint);
    ASSERT_TRUE(weights.ok()) << weights.status();
    ++models;
    const Head head = name.ends_with("_fill")     ? Head::kMaskedLanguageModel
                      : name.ends_with("_tag")    ? Head::kTokenClassification
                      : name.ends_with("_answer") ? Head::kQuestionAnswering
                      : name.ends_with("_choose") ? Head::kMultipleChoice
                      : name.ends_with("_discriminator")
                          ? Head::kReplacedTokenDetection
                      : checkpoint->Find("pooler.dense.weight") != nullptr
                          ? Head::kSequenceClassification
                      : checkpoint->Find("classifier.weight") != nullptr
                          ? Head::kTokenClassification
                          : Head::kNone;
    EXPECT_EQ(weights->head.head, head) << name;
    EXPECT_EQ(weights->head.head == Head::kMaskedLanguageModel,
              weights->head.decoder_weight != nullptr);
    EXPECT_THAT(weights->unexpected, IsEmpty()) << name;
    // All that a file holds is used, but for the rest of its training and a
    // tied decoder's copies.
    if (name.ends_with("_discriminator")) continue;
    int64_t elements = 0;
    for (const auto& [tensor_name, tensor] : checkpoint->tensors()) {
      if (tensor_name.starts_with("cls.predictions.decoder.")) continue;
      elements += static_cast<int64_t>(tensor.elements());
    }
    EXPECT_EQ(weights->parameters, elements) << name;
  }
  EXPECT_GE(models, 14u);
}

TEST(WeightsTest, SharesPositionKeysOnlyWhereConfigured) {
  const auto shared = Opened(GoldenModel("v3_classify"));
  const auto shared_weights = BindWeights(*shared);
  ASSERT_TRUE(shared_weights.ok()) << shared_weights.status();
  const LayerWeights& layer = shared_weights->layers[0];
  EXPECT_EQ(layer.pos_key_proj.weight, layer.key_proj.weight);
  EXPECT_EQ(layer.pos_query_proj.bias, layer.query_proj.bias);
  EXPECT_TRUE(shared_weights->rel_norm.has_value());

  const auto separate = Opened(GoldenModel("v2_separate_linear_c2p"));
  const auto separate_weights = BindWeights(*separate);
  ASSERT_TRUE(separate_weights.ok()) << separate_weights.status();
  const LayerWeights& own = separate_weights->layers[0];
  EXPECT_EQ(
      own.pos_key_proj.weight,
      separate->Find("encoder.layer.0.attention.self.pos_key_proj.weight"));
  EXPECT_EQ(own.pos_query_proj.weight, nullptr);
}

// Random configurations found it saved where there is nothing to norm.
TEST(WeightsTest, KnowsTheNormOfRelativeEmbeddingsThatAreNotThere) {
  EditedModel model("v2_no_relative");
  for (const std::string part : {"weight", "bias"}) {
    model.tensors["encoder.LayerNorm." + part] =
        model.tensors["embeddings.LayerNorm." + part];
  }
  auto weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_THAT(weights->unexpected, ElementsAre("encoder.LayerNorm.bias",
                                               "encoder.LayerNorm.weight"));

  model.config.insert(1, "\"norm_rel_ebd\": \"layer_norm\",");
  weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_THAT(weights->unexpected, IsEmpty());
  EXPECT_FALSE(weights->rel_norm.has_value());
}

// v1 had no biases of keys; Microsoft's current code adds them, zero at first.
TEST(WeightsTest, BindsTheNamesOfV2InV1Files) {
  EditedModel model("v1_renamed_fill");
  auto weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_NE(weights->layers[1].key_proj.bias, nullptr);
  EXPECT_NE(weights->layers[1].pos_key_proj.bias, nullptr);

  const std::string attention = "encoder.layer.1.attention.self.";
  model.tensors.erase(attention + "key_proj.bias");
  model.tensors.erase(attention + "pos_key_proj.bias");
  weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->layers[1].key_proj.bias, nullptr);

  model.tensors.erase(attention + "value_proj.bias");
  EXPECT_THAT(model.Refusal(),
              HasSubstr("1 missing: " + attention + "value_proj.bias"));
}

TEST(WeightsTest, ReportsEverythingThatDoesNotFitTogether) {
  EditedModel model("v1_classify");
  model.tensors.erase("pooler.dense.bias");
  model.tensors.erase("encoder.layer.1.attention.self.q_bias");
  model.tensors["classifier.weight"] = model.tensors["classifier.bias"];
  model.tensors["encoder.layer.0.extra"] = model.tensors["classifier.bias"];
  EXPECT_THAT(
      model.Refusal(),
      AllOf(
          HasSubstr("model.safetensors: tensors do not fit"),
          HasSubstr("2 missing: encoder.layer.1.attention.self.q_bias, "
                    "pooler.dense.bias"),
          HasSubstr("1 misshapen: classifier.weight is [3], expected [3, 32]"),
          HasSubstr("1 unexpected: encoder.layer.0.extra")));
}

TEST(WeightsTest, ListsAtMostTwentyOfAKind) {
  EditedModel model("v1_classify");
  model.tensors.clear();
  const std::string message = model.Refusal();
  EXPECT_THAT(message, HasSubstr("40 missing: embeddings.word_embeddings"));
  EXPECT_THAT(message, HasSubstr(" and 20 more; config.json names "));
}

TEST(WeightsTest, NamesTheTypeOfATensorThatHoldsNoFloats) {
  ModelDirectory directory;
  directory.Write("config.json", R"({"model_type":"deberta",
      "vocab_size":2,"hidden_size":1,"num_attention_heads":1})");
  directory.Write("model.safetensors",
                  SafetensorsBytes(R"({"embeddings.word_embeddings.weight":
          {"dtype":"I8","shape":[2,1],"data_offsets":[0,2]}})",
                                   "xx"));
  const auto checkpoint = Opened(directory.path());
  EXPECT_THAT(
      std::string(BindWeights(*checkpoint).status().message()),
      HasSubstr("embeddings.word_embeddings.weight (of type I8, expected F32"));
}

}  // namespace
}  // namespace deberta::model
