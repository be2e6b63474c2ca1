// A config.json of GLiNER2: what is read, and what is refused by name.

#include "model/checkpoint/gliner2_config.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "json/json.h"

namespace deberta::model {
namespace {

using ::testing::HasSubstr;

constexpr char kEncoder[] = R"({"hidden_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 2, "intermediate_size": 96, "vocab_size": 300,
    "model_type": "deberta-v2", "relative_attention": true,
    "position_buckets": 32, "pos_att_type": "p2c|c2p"})";

absl::StatusOr<Gliner2Model> Parse(const std::string& members,
                                   const std::string& encoder = kEncoder) {
  const auto object =
      json::Parse(R"({"model_type": "extractor")" + members + "}");
  EXPECT_TRUE(object.ok()) << object.status();
  return ParseGliner2Config(*object, encoder);
}

TEST(Gliner2ConfigTest, HasThePackagesDefaults) {
  const auto model = Parse("");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->encoder.hidden_size, 64);
  EXPECT_EQ(model->gliner2.counting, CountingLayer::kProjector);
  EXPECT_EQ(model->gliner2.pooling, WordPooling::kFirst);
  const LabelHead& head = model->gliner2.head;
  EXPECT_EQ(head.kind, LabelHeadKind::kGroups);
  EXPECT_EQ(head.architecture, "gliner2 count_lstm");
  EXPECT_EQ(head.max_span_words, 8u);
  EXPECT_EQ(head.max_words, 0u);
  EXPECT_GT(head.HeadTokens(10, 3), 0u);
}

TEST(Gliner2ConfigTest, ReadsEverySetting) {
  const auto model = Parse(
      R"(, "architecture": "span", "counting_layer": "count_lstm_moe",
      "token_pooling": "max", "max_len": 100, "max_width": 5,
      "span_head": null, "config_version": 3)");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->gliner2.counting, CountingLayer::kExperts);
  EXPECT_EQ(model->gliner2.pooling, WordPooling::kMax);
  EXPECT_EQ(model->gliner2.head.max_words, 100u);
  EXPECT_EQ(model->gliner2.head.max_span_words, 5u);
  EXPECT_EQ(Parse(R"(, "counting_layer": "count_lstm_v2")")->gliner2.counting,
            CountingLayer::kTransformer);
  EXPECT_EQ(Parse(R"(, "max_len": null, "architecture": null)")
                ->gliner2.head.max_words,
            0u);
}

// As the package migrates its older files.
TEST(Gliner2ConfigTest, TheSpanHeadsWidthGoesFirst) {
  const auto width = [](const std::string& members) {
    const auto model = Parse(members);
    EXPECT_TRUE(model.ok()) << model.status();
    return model.ok() ? model->gliner2.head.max_span_words : 0;
  };
  EXPECT_EQ(width(R"(, "max_width": 5, "span_head": {"max_width": 3})"), 3u);
  EXPECT_EQ(width(R"(, "max_width": 5, "span_head": {"dropout": 0})"), 5u);
  EXPECT_EQ(width(R"(, "span_head": {})"), 8u);
}

TEST(Gliner2ConfigTest, RefusesByNameWhatIsNotServed) {
  struct Case {
    const char* members;
    const char* named;
  };
  for (const Case& c :
       {Case{R"(, "architecture": "boundary")", "GLiNER2.5"},
        Case{R"(, "architecture": "span2")", "architecture"},
        Case{R"(, "architecture": 3)", "architecture"},
        Case{R"(, "counting_layer": "count_gru")", "counting_layer"},
        Case{R"(, "token_pooling": "last")", "token_pooling"},
        Case{R"(, "max_width": 0)", "max_width"},
        Case{R"(, "max_width": 1e9)", "max_width"},
        Case{R"(, "span_head": {"max_width": -1})", "span_head.max_width"},
        Case{R"(, "span_head": [3])", "span_head"},
        Case{R"(, "max_len": 0)", "max_len"}}) {
    const auto model = Parse(c.members);
    ASSERT_TRUE(absl::IsInvalidArgument(model.status())) << c.members;
    EXPECT_THAT(std::string(model.status().message()), HasSubstr(c.named));
  }
}

TEST(Gliner2ConfigTest, ErrorsOfTheEncoderNameItsFile) {
  for (const char* encoder : {"", "[]", "{}", R"({"model_type": "bert"})"}) {
    const auto model = Parse("", encoder);
    ASSERT_TRUE(absl::IsInvalidArgument(model.status())) << encoder;
    EXPECT_THAT(std::string(model.status().message()),
                HasSubstr("encoder_config/config.json"));
  }
}

}  // namespace
}  // namespace deberta::model
