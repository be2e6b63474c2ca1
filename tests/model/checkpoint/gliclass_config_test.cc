// A config.json of GLiClass: what is read, and what is refused by name.

#include "model/checkpoint/gliclass_config.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "json/json.h"

namespace deberta::model {
namespace {

using ::testing::HasSubstr;

constexpr char kEncoder[] = R"({"hidden_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 2, "intermediate_size": 96, "vocab_size": 300,
    "relative_attention": true, "position_buckets": 32,
    "pos_att_type": "p2c|c2p"})";

absl::StatusOr<GliclassModel> Parse(const std::string& members) {
  const auto object =
      json::Parse(R"({"model_type": "GLiClass")" + members + "}");
  EXPECT_TRUE(object.ok()) << object.status();
  return ParseGliclassConfig(*object);
}

absl::StatusOr<GliclassModel> WithEncoder(const std::string& members) {
  return Parse(std::string(R"(, "encoder_config": )") + kEncoder + members);
}

TEST(GliclassConfigTest, HasThePackagesDefaults) {
  const auto model = WithEncoder("");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->encoder.hidden_size, 64);
  EXPECT_EQ(model->encoder.family, Family::kDebertaV2);
  const GliclassConfig& gliclass = model->gliclass;
  EXPECT_EQ(gliclass.pooling, TextPooling::kFirst);
  EXPECT_EQ(gliclass.scorer, ClassScorer::kDot);
  EXPECT_EQ(gliclass.width, 64);
  EXPECT_EQ(gliclass.activation, Activation::kGelu);
  EXPECT_FALSE(gliclass.runs_lstm || gliclass.normalizes);
  const LabelHead& head = gliclass.head;
  EXPECT_EQ(head.kind, LabelHeadKind::kClasses);
  EXPECT_EQ(head.architecture, "gliclass simple");
  EXPECT_EQ(head.max_tokens, 1024u);
  EXPECT_EQ(head.label_token, "<<LABEL>>");
  // Behind the vocabulary where the file does not say.
  EXPECT_EQ(head.label_token_id, 300);
  EXPECT_EQ(head.separator_token_id, 301);
  EXPECT_TRUE(head.reads_label_token);
  EXPECT_FALSE(head.labels_first || head.averages_labels ||
               head.reads_from_separator || head.marks_separator);
}

TEST(GliclassConfigTest, ReadsEverySetting) {
  const auto model = WithEncoder(
      R"(, "architecture_type": "uni-encoder", "scorer_type": "weighted-dot",
      "pooling_strategy": "abs_avg", "class_token_pooling": "average",
      "class_token_index": 7, "text_token_index": 8, "prompt_first": true,
      "embed_class_token": false, "extract_text_features": true,
      "use_lstm": true, "normalize_features": true, "layer_wise": true,
      "projector_hidden_act": "relu", "use_segment_embeddings": true)");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->encoder.type_vocab_size, 3);
  const GliclassConfig& gliclass = model->gliclass;
  EXPECT_EQ(gliclass.pooling, TextPooling::kMeanMagnitude);
  EXPECT_EQ(gliclass.scorer, ClassScorer::kWeightedDot);
  EXPECT_EQ(gliclass.activation, Activation::kRelu);
  EXPECT_TRUE(gliclass.runs_lstm && gliclass.normalizes);
  EXPECT_EQ(gliclass.head.label_token_id, 7);
  EXPECT_EQ(gliclass.head.separator_token_id, 8);
  EXPECT_FALSE(gliclass.head.reads_label_token);
  EXPECT_TRUE(gliclass.head.labels_first && gliclass.head.averages_labels &&
              gliclass.head.reads_from_separator &&
              gliclass.head.marks_separator);
}

TEST(GliclassConfigTest, RefusesByNameWhatIsNotServed) {
  struct Case {
    const char* members;
    const char* named;
  };
  for (const Case& c :
       {Case{R"(, "architecture_type": "bi-encoder")", "bi-encoder"},
        Case{R"(, "architecture_type": "encoder-decoder")", "encoder-decoder"},
        Case{R"(, "scorer_type": "dot")", "scorer_type"},
        Case{R"(, "pooling_strategy": "cls")", "pooling_strategy"},
        Case{R"(, "class_token_pooling": "max")", "class_token_pooling"},
        Case{R"(, "squeeze_layers": true)", "squeeze_layers"},
        Case{R"(, "encoder_layer_id": 3)", "encoder_layer_id"},
        Case{R"(, "hidden_size": 32, "scorer_type": "mlp")", "hidden_size"},
        Case{R"(, "hidden_size": 32, "use_lstm": true)", "hidden_size"}}) {
    const auto model = WithEncoder(c.members);
    EXPECT_TRUE(absl::IsInvalidArgument(model.status())) << c.members;
    EXPECT_THAT(std::string(model.status().message()), HasSubstr(c.named));
  }
  EXPECT_THAT(std::string(Parse("").status().message()),
              HasSubstr("encoder_config"));
  EXPECT_THAT(
      std::string(Parse(R"(, "encoder_config": {"model_type": "modernbert"})")
                      .status()
                      .message()),
      HasSubstr("modernbert"));
  EXPECT_THAT(
      std::string(Parse(R"(, "use_segment_embeddings": true, "encoder_config":
                {"hidden_size": 64, "num_attention_heads": 2,
                 "type_vocab_size": 2})")
                      .status()
                      .message()),
      HasSubstr("use_segment_embeddings"));
}

}  // namespace
}  // namespace deberta::model
