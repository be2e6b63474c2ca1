// gliner_config.json: what is read, what is built in, what is refused by name.

#include "model/checkpoint/gliner_config.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::model {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As of 2024, when the encoder was only named.
constexpr char kOld[] = R"({"model_name": "microsoft/deberta-v3-large",
    "max_width": 8, "hidden_size": 512, "max_len": 296, "fine_tune": true})";

GlinerModel Parse(const std::string& text, const std::string& beside = "") {
  const absl::StatusOr<GlinerModel> model = ParseGlinerConfig(text, beside);
  EXPECT_TRUE(model.ok()) << model.status();
  return model.value_or(GlinerModel());
}

std::string ErrorOf(const std::string& text, const std::string& beside = "") {
  const absl::StatusOr<GlinerModel> model = ParseGlinerConfig(text, beside);
  EXPECT_TRUE(absl::IsInvalidArgument(model.status())) << model.status();
  return std::string(model.status().message());
}

TEST(GlinerConfigTest, HasThePackagesDefaults) {
  const GlinerModel model = Parse("{}");
  const GlinerConfig& gliner = model.gliner;
  EXPECT_EQ(gliner.head.kind, LabelHeadKind::kSpans);
  EXPECT_EQ(gliner.head.architecture, "gliner markerV0");
  EXPECT_EQ(gliner.head.max_words, 384u);
  EXPECT_EQ(gliner.head.max_span_words, 12u);
  EXPECT_EQ(gliner.head.label_token, "<<ENT>>");
  EXPECT_EQ(gliner.head.separator_token, "<<SEP>>");
  EXPECT_EQ(gliner.head.label_token_id, -1);
  EXPECT_TRUE(gliner.head.reads_label_token);
  EXPECT_EQ(gliner.pooling, WordPooling::kFirst);
  EXPECT_EQ(gliner.width, 512);
  EXPECT_EQ(gliner.rnn_layers, 1);
  EXPECT_FALSE(gliner.fuses_layers);
  // microsoft/deberta-v3-small
  EXPECT_EQ(model.encoder.hidden_size, 768);
  EXPECT_EQ(model.encoder.num_hidden_layers, 6);
}

TEST(GlinerConfigTest, KnowsTheEncodersThatFilesOnlyName) {
  struct Known {
    const char* name;
    int64_t hidden, layers, heads, inner, vocabulary;
  };
  // As their own config.json have them.
  for (const Known& known :
       {Known{"microsoft/deberta-v3-xsmall", 384, 12, 6, 1536, 128100},
        Known{"microsoft/deberta-v3-small", 768, 6, 12, 3072, 128100},
        Known{"microsoft/deberta-v3-base", 768, 12, 12, 3072, 128100},
        Known{"microsoft/deberta-v3-large", 1024, 24, 16, 4096, 128100},
        Known{"microsoft/mdeberta-v3-base", 768, 12, 12, 3072, 251000}}) {
    const Config config =
        Parse(absl::StrCat(R"({"model_name": ")", known.name, "\"}")).encoder;
    EXPECT_EQ(config.family, Family::kDebertaV2);
    EXPECT_EQ(config.hidden_size, known.hidden) << known.name;
    EXPECT_EQ(config.num_hidden_layers, known.layers) << known.name;
    EXPECT_EQ(config.num_attention_heads, known.heads) << known.name;
    EXPECT_EQ(config.intermediate_size, known.inner) << known.name;
    EXPECT_EQ(config.vocab_size, known.vocabulary) << known.name;
    EXPECT_EQ(config.position_buckets, 256);
    EXPECT_EQ(config.max_relative_positions, 512);
    EXPECT_TRUE(config.relative_attention && config.share_att_key &&
                config.norm_rel_embeddings && config.c2p && config.p2c);
    EXPECT_FALSE(config.position_biased_input);
    EXPECT_EQ(config.type_vocab_size, 0);
  }
}

TEST(GlinerConfigTest, TakesAnotherEncodersConfigurationFromBeside) {
  const std::string named = R"({"model_name": "someone/deberta"})";
  EXPECT_THAT(ErrorOf(named),
              AllOf(HasSubstr("model_name"), HasSubstr("someone/deberta"),
                    HasSubstr("microsoft/mdeberta-v3-base"),
                    HasSubstr("config.json into the directory")));
  const std::string beside =
      R"({"model_type": "deberta-v2", "hidden_size": 64,
          "num_hidden_layers": 2, "num_attention_heads": 2,
          "architectures": ["SomethingOfItsOwn"]})";
  const Config config = Parse(named, beside).encoder;
  EXPECT_EQ(config.hidden_size, 64);
  // Whatever that says of a head.
  EXPECT_EQ(config.architecture, Architecture::kModel);
  EXPECT_TRUE(config.architecture_error.ok());
  // The file's own comes first.
  EXPECT_EQ(Parse(R"({"encoder_config": {"hidden_size": 96,
                      "num_attention_heads": 2}})",
                  beside)
                .encoder.hidden_size,
            96);
}

TEST(GlinerConfigTest, OldFilesLeaveTokensToTheTokenizer) {
  EXPECT_THAT(Parse(kOld).gliner.special_tokens,
              ElementsAre("[FLERT]", "<<ENT>>", "<<SEP>>"));
  EXPECT_EQ(Parse(kOld).gliner.head.max_words, 296u);
  // Both must be there: the package adds the tokens if either is not.
  EXPECT_THAT(Parse(R"({"class_token_index": 7})").gliner.special_tokens,
              ElementsAre("[FLERT]", "<<ENT>>", "<<SEP>>"));
  const GlinerConfig given =
      Parse(R"({"class_token_index": 128002, "vocab_size": 128004})").gliner;
  EXPECT_THAT(given.special_tokens, IsEmpty());
  EXPECT_EQ(given.head.label_token_id, 128002);
}

TEST(GlinerConfigTest, TellsTokenModelsFromSpanModels) {
  EXPECT_EQ(Parse(R"({"span_mode": "token_level"})").gliner.head.kind,
            LabelHeadKind::kTokens);
  const GlinerConfig both = Parse(R"({"span_mode": "token_level",
                                      "represent_spans": true})")
                                .gliner;
  EXPECT_EQ(both.head.kind, LabelHeadKind::kTokensAndSpans);
  EXPECT_EQ(both.head.architecture, "gliner token_level represent_spans");
  // Of a span model it means nothing.
  EXPECT_EQ(Parse(R"({"represent_spans": true})").gliner.head.kind,
            LabelHeadKind::kSpans);
  EXPECT_EQ(Parse(R"({"num_rnn_layers": -1})").gliner.rnn_layers, 0);
}

TEST(GlinerConfigTest, RefusesByNameWhatIsNotServed) {
  for (const auto& [member, named] :
       std::vector<std::pair<std::string, std::string>>{
           {R"("relations_layer": "dot")", "relations_layer"},
           {R"("labels_decoder": "gpt2")", "labels_decoder"},
           {R"("labels_encoder": "BAAI/bge-small-en-v1.5")", "labels_encoder"},
           {R"("span_encoder_config": {"model_type": "rnn"})",
            "span_encoder_config"},
           {R"("precomputed_prompts_mode": true)", "precomputed_prompts_mode"},
           {R"("model_type": "gliner_streaming_span")", "model_type"},
           {R"("span_mode": "conv_max")", "markerV0, marker, markerV1"},
           {R"("span_mode": "token-level")", "span_mode"},
           {R"("subtoken_pooling": "sum")", "subtoken_pooling"},
           {R"("words_splitter_type": "spacy")", "words_splitter_type"},
           {R"("hidden_size": 33)", "an even number"},
           {R"("max_width": 0)", "max_width"},
           {R"("max_len": 1e9)", "max_len"},
           {R"("encoder_config": 3)", "encoder_config"},
           {R"("encoder_config": {"model_type": "modernbert"})", "modernbert"},
       }) {
    EXPECT_THAT(ErrorOf(absl::StrCat("{", member, "}")), HasSubstr(named));
  }
  // Unset in one way or another.
  Parse(R"({"labels_encoder": null, "relations_layer": "",
            "precomputed_prompts_mode": false})");
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(ErrorOf("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(ErrorOf(R"({"model_name": "x"})", "[]"),
              HasSubstr("config.json: expected a JSON object"));
}

TEST(GlinerConfigTest, CostsGrowWithWordsAndLabels) {
  const LabelHead head = Parse(kOld).gliner.head;
  EXPECT_GT(head.HeadTokens(300, 5), head.HeadTokens(30, 5));
  EXPECT_GT(head.HeadTokens(300, 25), head.HeadTokens(300, 5));
  // Of the large model's 24 layers the head is a small part.
  EXPECT_LT(head.HeadTokens(300, 25), 100u);
}

}  // namespace
}  // namespace deberta::model
