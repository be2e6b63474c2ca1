#include "model/weights.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/checkpoint/model_directory.h"

namespace deberta::model {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::unique_ptr<const Checkpoint> Opened(const std::string& directory) {
  auto checkpoint =
      Checkpoint::Open(directory, {.hdf5_reader = DEBERTA_HDF5_READER});
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  return checkpoint.ok() ? *std::move(checkpoint) : nullptr;
}

// A golden model whose tensors and configuration can be changed.
class EditedModel {
 public:
  explicit EditedModel(const std::string& name)
      : golden_(Opened(GoldenModel(name))), tensors(golden_->tensors()) {
    std::ifstream file(GoldenModel(name) + "/config.json");
    std::stringstream text;
    text << file.rdbuf();
    config = text.str();
  }

  absl::StatusOr<Weights> Bind() {
    directory_.Write("config.json", config);
    directory_.Write("model.safetensors", SafetensorsBytes(tensors));
    checkpoint_ = Opened(directory_.path());
    return BindWeights(*checkpoint_);
  }

  std::string Refusal() {
    const absl::StatusOr<Weights> weights = Bind();
    EXPECT_EQ(weights.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(weights.status().message());
  }

  const Checkpoint& checkpoint() const { return *checkpoint_; }

 private:
  std::unique_ptr<const Checkpoint> golden_;
  ModelDirectory directory_;
  std::unique_ptr<const Checkpoint> checkpoint_;

 public:
  TensorMap tensors;  // by normalised name
  std::string config;
};

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
                      : checkpoint->Find("pooler.dense.weight") != nullptr
                          ? Head::kSequenceClassification
                      : checkpoint->Find("classifier.weight") != nullptr
                          ? Head::kTokenClassification
                          : Head::kNone;
    EXPECT_EQ(weights->head.head, head) << name;
    EXPECT_EQ(weights->head.head == Head::kMaskedLanguageModel,
              weights->head.decoder_weight != nullptr);
    EXPECT_THAT(weights->unexpected, IsEmpty()) << name;
    // What transformers saved is what the model uses.
    int64_t elements = 0;
    for (const auto& [tensor_name, tensor] : checkpoint->tensors()) {
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
  EXPECT_THAT(message, testing::EndsWith(" and 20 more"));
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

TEST(WeightsTest, KeepsUnknownNamesButLoads) {
  EditedModel model("v3_tag");
  model.tensors["encoder.layer.0.extra"] = model.tensors["classifier.bias"];
  model.tensors["lm_predictions.lm_head.bias"] =
      model.tensors["classifier.bias"];
  model.tensors["pooler.dense.bias"] = model.tensors["classifier.bias"];
  const auto weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_THAT(weights->unexpected, ElementsAre("encoder.layer.0.extra"));
}

TEST(WeightsTest, NeverInventsAMissingHead) {
  EditedModel model("v1_no_relative");
  const std::string bare = model.config;
  model.config = absl::StrReplaceAll(
      bare, {{"DebertaModel", "DebertaForSequenceClassification"}});
  EXPECT_THAT(model.Refusal(), HasSubstr("4 missing: pooler.dense.weight, "));
  model.config =
      absl::StrReplaceAll(bare, {{"DebertaModel", "DebertaForMaskedLM"}});
  EXPECT_THAT(model.Refusal(), HasSubstr("cls.predictions.bias"));
}

TEST(WeightsTest, RefusesAClassifierThatDisagreesWithTheLabels) {
  EditedModel model("v1_classify");
  model.config = absl::StrReplaceAll(
      model.config, {{"\"2\": \"positive\"", "\"2\": \"x\", \"3\": \"y\""}});
  EXPECT_THAT(model.Refusal(),
              HasSubstr("2 misshapen: classifier.weight is [3, 32], "
                        "expected [4, 32]"));
}

TEST(WeightsTest, ChoosesTheHeadFromTensorsWithoutAnArchitecture) {
  const std::pair<const char*, Head> kCases[] = {
      {"v1_classify", Head::kSequenceClassification},
      {"v3_tag", Head::kTokenClassification},
      {"v3_answer", Head::kQuestionAnswering},
      {"v1_absolute_fill", Head::kMaskedLanguageModel},
      {"v1_no_relative", Head::kNone},
  };
  for (const auto& [name, head] : kCases) {
    EditedModel model(name);
    model.config = absl::StrReplaceAll(model.config,
                                       {{"\"architectures\"", "\"unused\""}});
    const auto weights = model.Bind();
    ASSERT_TRUE(weights.ok()) << weights.status();
    EXPECT_EQ(weights->head.head, head) << name;
  }
}

TEST(WeightsTest, ChoosesTheMaskHeadThatIsPresent) {
  EditedModel plain("v3_plain_fill");
  // A configuration that says nothing means legacy; the tensors decide.
  plain.config =
      absl::StrReplaceAll(plain.config, {{"\"legacy\"", "\"unused\""}});
  const auto weights = plain.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->head.dense.weight,
            plain.checkpoint().Find("lm_predictions.lm_head.dense.weight"));
  EXPECT_EQ(weights->head.decoder_weight, weights->word_embeddings);
}

TEST(WeightsTest, TiesTheDecoderUnlessToldOtherwise) {
  EditedModel model("v1_absolute_fill");
  model.tensors["cls.predictions.decoder.weight"] =
      model.tensors["embeddings.word_embeddings.weight"];
  model.tensors["cls.predictions.decoder.bias"] =
      model.tensors["cls.predictions.bias"];
  model.tensors.erase("cls.predictions.bias");
  auto weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->head.decoder_weight, weights->word_embeddings);
  EXPECT_NE(weights->head.decoder_bias, nullptr);

  model.config.insert(1, "\"tie_word_embeddings\": false,");
  weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->head.decoder_weight,
            model.checkpoint().Find("cls.predictions.decoder.weight"));
}

TEST(WeightsTest, RefusesThePlainMaskHeadOverNarrowEmbeddings) {
  EditedModel model("v2_embed_proj_fill");
  std::erase_if(model.tensors, [](const auto& named) {
    return named.first.starts_with("cls.predictions.");
  });
  model.tensors["lm_predictions.lm_head.dense.weight"] =
      model.tensors["embeddings.embed_proj.weight"];
  EXPECT_THAT(model.Refusal(),
              AllOf(HasSubstr("embedding_size equal to hidden_size"),
                    HasSubstr("44 and 32"), Not(HasSubstr("missing"))));
}

}  // namespace
}  // namespace deberta::model
