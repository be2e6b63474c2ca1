#include "model/checkpoint/config.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/checkpoint/config_text.h"

namespace deberta::model {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string Refusal(const char* type, const std::string& keys) {
  const absl::StatusOr<Config> config = Parse(type, keys);
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument) << keys;
  return std::string(config.status().message());
}

TEST(ConfigTest, TakesTheReferenceDefaultsOfEachFamily) {
  const Config v1 = Parsed(kV1, "");
  EXPECT_EQ(v1.family, Family::kDeberta);
  EXPECT_EQ(v1.vocab_size, 50265);
  EXPECT_EQ(v1.hidden_size, 768);
  EXPECT_EQ(v1.num_hidden_layers, 12);
  EXPECT_EQ(v1.head_size, 64);
  EXPECT_EQ(v1.intermediate_size, 3072);
  EXPECT_EQ(v1.embedding_size, 768);
  EXPECT_EQ(v1.layer_norm_eps, 1e-7f);
  EXPECT_FALSE(v1.relative_attention);
  EXPECT_TRUE(v1.position_biased_input);
  EXPECT_EQ(v1.scale_factor, 1);
  EXPECT_EQ(v1.max_relative_positions, 512);
  EXPECT_EQ(v1.pooler_act, Activation::kGelu);
  EXPECT_TRUE(v1.legacy_mlm_head);
  EXPECT_THAT(v1.labels, ElementsAre("LABEL_0", "LABEL_1"));
  EXPECT_EQ(v1.architecture, Architecture::kUnknown);

  const Config v2 = Parsed(kV2, "");
  EXPECT_EQ(v2.family, Family::kDebertaV2);
  EXPECT_EQ(v2.vocab_size, 128100);
  EXPECT_EQ(v2.hidden_size, 1536);
  EXPECT_EQ(v2.num_attention_heads, 24);
  EXPECT_EQ(v2.conv_kernel_size, 0);
  EXPECT_EQ(v2.relative_span(), 512);
}

TEST(ConfigTest, ReadsAReleasedV3Configuration) {
  const Config config = Parsed(kV2, R"(
      "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu",
      "hidden_size": 768, "intermediate_size": 3072,
      "max_position_embeddings": 512, "relative_attention": true,
      "position_buckets": 256, "norm_rel_ebd": "layer_norm",
      "share_att_key": true, "pos_att_type": "p2c|c2p",
      "layer_norm_eps": 1e-7, "max_relative_positions": -1,
      "position_biased_input": false, "num_attention_heads": 12,
      "num_hidden_layers": 12, "type_vocab_size": 0, "vocab_size": 128100,
      "padding_idx": -1, "architectures": null)");
  EXPECT_TRUE(config.c2p && config.p2c);
  EXPECT_EQ(config.scale_factor, 3);
  EXPECT_TRUE(config.share_att_key && config.norm_rel_embeddings);
  EXPECT_EQ(config.max_relative_positions, 512);
  EXPECT_EQ(config.relative_span(), 256);
  EXPECT_FALSE(config.position_biased_input);
}

// v1 divides by the number of entries, v2 by the terms it knows; both also
// where relative_attention leaves the terms out.
TEST(ConfigTest, CountsPositionTermsAsEachFamilyDoes) {
  struct Case {
    const char* pos_att_type;
    bool c2p, p2c;
    int64_t v1_scale, v2_scale;
  };
  for (const Case& c : {
           Case{"null", false, false, 1, 1},
           Case{R"("c2p|p2c")", true, true, 3, 3},
           Case{R"(" P2C | C2P ")", true, true, 3, 3},
           Case{R"("")", false, false, 2, 1},
           Case{R"(["c2p", "", "none"])", true, false, 4, 2},
           Case{R"(["c2p", "c2p"])", true, false, 3, 2},
           Case{R"(["C2P"])", false, false, 2, 1},
           Case{"[]", false, false, 1, 1},
       }) {
    const std::string terms = absl::StrCat("\"pos_att_type\":", c.pos_att_type);
    const std::string relative = terms + ",\"relative_attention\":true";
    for (const char* type : {kV1, kV2}) {
      const Config config = Parsed(type, relative);
      EXPECT_EQ(config.c2p, c.c2p) << type << c.pos_att_type;
      EXPECT_EQ(config.p2c, c.p2c) << type << c.pos_att_type;
      EXPECT_EQ(config.scale_factor, type == kV1 ? c.v1_scale : c.v2_scale)
          << type << c.pos_att_type;
      const Config absolute = Parsed(type, terms);
      EXPECT_FALSE(absolute.c2p || absolute.p2c);
      EXPECT_EQ(absolute.scale_factor, config.scale_factor);
    }
  }
}

TEST(ConfigTest, IgnoresTheOtherFamilysKeys) {
  const Config v1 = Parsed(kV1, R"("position_buckets": 256,
      "share_att_key": true, "norm_rel_ebd": "layer_norm",
      "conv_kernel_size": 4, "relative_attention": true,
      "attention_head_size": 7)");
  EXPECT_EQ(v1.relative_span(), 512);
  EXPECT_FALSE(v1.share_att_key || v1.norm_rel_embeddings);
  EXPECT_EQ(v1.conv_kernel_size, 0);
  Parsed(kV2, R"("talking_head": true)");
}

TEST(ConfigTest, IsLenientWithNumbersNullsAndUnknownKeys) {
  const Config config = Parsed(kV2, R"("hidden_size": 64.0,
      "num_attention_heads": 4, "embedding_size": null, "anything": [{}],
      "layer_norm_eps": 0, "pooler_hidden_size": 64)");
  EXPECT_EQ(config.hidden_size, 64);
  EXPECT_EQ(config.embedding_size, 64);
  EXPECT_EQ(config.layer_norm_eps, 0.0f);
}

TEST(ConfigTest, ReadsConvolutionAndActivations) {
  const Config config = Parsed(kV2, R"("conv_kernel_size": 3,
      "conv_groups": 2, "conv_act": "gelu", "hidden_act": "swish",
      "pooler_hidden_act": "gelu_accurate")");
  EXPECT_EQ(config.conv_kernel_size, 3);
  EXPECT_EQ(config.conv_groups, 2);
  EXPECT_EQ(config.conv_act, Activation::kGelu);
  EXPECT_EQ(config.hidden_act, Activation::kSilu);
  EXPECT_EQ(config.pooler_act, Activation::kGeluTanh);
  EXPECT_EQ(Parsed(kV2, R"("conv_kernel_size": 3)").conv_act,
            Activation::kTanh);
}

TEST(ConfigTest, ReadsTheTask) {
  const std::pair<const char*, Architecture> kCases[] = {
      {"DebertaV2Model", Architecture::kModel},
      {"DebertaV2ForMaskedLM", Architecture::kMaskedLanguageModel},
      {"DebertaV2ForSequenceClassification",
       Architecture::kSequenceClassification},
      {"TFDebertaV2ForTokenClassification", Architecture::kTokenClassification},
      {"DebertaV2ForQuestionAnswering", Architecture::kQuestionAnswering},
      {"DebertaV2ForMultipleChoice", Architecture::kMultipleChoice},
      {"DebertaV2PreTrainedModel", Architecture::kUnknown},
  };
  for (const auto& [name, architecture] : kCases) {
    const Config config =
        Parsed(kV2, absl::StrCat("\"architectures\":[\"", name, "\",\"", name,
                                 "\"], \"auto_map\":{}"));
    EXPECT_EQ(config.architecture, architecture) << name;
    EXPECT_TRUE(config.architecture_error.ok()) << config.architecture_error;
  }
  EXPECT_EQ(
      Parsed(kV1, R"("architectures":["DebertaForMaskedLM"])").architecture,
      Architecture::kMaskedLanguageModel);
  EXPECT_TRUE(Parsed(kV1, R"("architectures":[], "auto_map":null)")
                  .architecture_error.ok());
  EXPECT_EQ(Parsed(kV1, R"("problem_type": "multi_label_classification")")
                .problem_type,
            ProblemType::kMultiLabel);
}

// json.dump writes them.
TEST(ConfigTest, PassesOverNumbersThatAreNotFinite) {
  const Config config =
      Parsed(kV2, R"("anything": NaN, "initializer_range": Infinity,
              "hidden_dropout_prob": [-Infinity, {"x": NaN}])");
  EXPECT_EQ(config.hidden_size, 1536);
  for (const auto& [keys, message] :
       {std::pair{R"("layer_norm_eps": NaN)",
                  "layer_norm_eps: expected a "
                  "number from 0 to 1, got NaN"},
        std::pair{R"("layer_norm_eps": Infinity)", "got Infinity"},
        std::pair{R"("hidden_size": -Infinity)",
                  "hidden_size: expected an integer from 1 to 65536, got "
                  "-Infinity"},
        std::pair{R"("vocab_size": NaN)", "got NaN"},
        std::pair{R"("hidden_act": NaN)", "got NaN"}}) {
    EXPECT_THAT(Refusal(kV2, keys), HasSubstr(message));
  }
}

// As Python's `if` takes them; a null that stood for the default would have
// asked for position embeddings where the reference has none.
TEST(ConfigTest, TakesNullsAndNumbersForTruthAsPythonDoes) {
  EXPECT_FALSE(
      Parsed(kV1, R"("position_biased_input": null)").position_biased_input);
  EXPECT_FALSE(Parsed(kV1, R"("legacy": null)").legacy_mlm_head);
  EXPECT_FALSE(
      Parsed(kV1, R"("position_biased_input": 0)").position_biased_input);
  EXPECT_TRUE(Parsed(kV1, R"("relative_attention": 1)").relative_attention);
  EXPECT_TRUE(Parsed(kV1, R"("relative_attention": 0.5)").relative_attention);
}

TEST(ConfigTest, RefusesWhatIsNotAJsonObject) {
  for (const char* text : {"", "{", "{\"model_type\": }", "\xff\xfe", "nul"}) {
    EXPECT_THAT(std::string(ParseConfig(text).status().message()),
                testing::StartsWith("not valid JSON: line 1, column "))
        << text;
  }
  EXPECT_EQ(ParseConfig("[1]").status().message(),
            "expected a JSON object, got [1]");
}

TEST(ConfigTest, RefusesUnknownModelTypesAndNamesTheKnown) {
  EXPECT_EQ(Refusal("bert", ""),
            "model_type: expected \"deberta\" or \"deberta-v2\", got \"bert\"");
  EXPECT_THAT(std::string(ParseConfig("{}").status().message()),
              AllOf(HasSubstr("model_type"), HasSubstr("no such key")));
}

TEST(ConfigTest, RefusesByNameWhatItCannotHonour) {
  struct Case {
    const char* type;
    const char* keys;
    const char* key;     // named first
    const char* detail;  // expected or got
  };
  for (const Case& c : {
           Case{kV1, R"("talking_head": true)", "talking_head", "false"},
           Case{kV2, R"("pos_att_type": [1])", "pos_att_type", "[1]"},
           Case{kV2, R"("conv_kernel_size": 4)", "conv_kernel_size", "odd"},
           Case{kV2, R"("conv_kernel_size": 3, "conv_groups": 7)",
                "conv_groups", "1536"},
           Case{kV2, R"("conv_kernel_size": 3, "conv_act": "gleu")", "conv_act",
                "gleu"},
           Case{kV1, R"("hidden_act": "softplus")", "hidden_act", "softplus"},
           Case{kV1, R"("hidden_act": 3)", "hidden_act", "a string"},
           Case{kV1, R"("hidden_size": 770)", "hidden_size", "770"},
           Case{kV2, R"("attention_head_size": 32)", "attention_head_size",
                "64"},
           Case{kV1, R"("hidden_size": "768")", "hidden_size", "\"768\""},
           Case{kV1, R"("hidden_size": 768.5)", "hidden_size", "768.5"},
           Case{kV1, R"("hidden_size": 0)", "hidden_size", "got 0"},
           Case{kV1, R"("hidden_size": -768)", "hidden_size", "-768"},
           Case{kV1, R"("vocab_size": 18446744073709551615)", "vocab_size",
                "18446744073709551615"},
           Case{kV1, R"("vocab_size": 1e300)", "vocab_size", "1e+300"},
           Case{kV1, R"("num_hidden_layers": 100000)", "num_hidden_layers",
                "1024"},
           Case{kV1, R"("num_attention_heads": 0)", "num_attention_heads",
                "got 0"},
           Case{kV1, R"("max_relative_positions": 99999999)",
                "max_relative_positions", "1048576"},
           Case{kV1, R"("layer_norm_eps": -1)", "layer_norm_eps", "-1"},
           Case{kV1, R"("relative_attention": "yes")", "relative_attention",
                "true or false"},
           Case{kV1, R"("problem_type": "ranking")", "problem_type", "ranking"},
       }) {
    EXPECT_THAT(Refusal(c.type, c.keys),
                AllOf(testing::StartsWith(absl::StrCat(c.key, ": expected ")),
                      HasSubstr(c.detail)))
        << c.keys;
  }
}

// ln((R - 1) / mid) must be neither 0 nor a division by 0.
TEST(ConfigTest, RefusesBucketsThatLeaveNoRoomForTheLogarithm) {
  const auto keys = [](int64_t buckets, int64_t positions) {
    return absl::StrCat("\"relative_attention\":true,\"position_buckets\":",
                        buckets, ",\"max_relative_positions\":", positions);
  };
  EXPECT_EQ(Parsed(kV2, keys(8, 6)).relative_span(), 8);
  EXPECT_THAT(Refusal(kV2, keys(8, 5)), HasSubstr("position_buckets"));
  EXPECT_THAT(Refusal(kV2, keys(1, 100)), HasSubstr("position_buckets"));
  EXPECT_EQ(Parsed(kV2, keys(-1, 5)).relative_span(), 5);
  EXPECT_EQ(Parsed(kV2, keys(0, 5)).relative_span(), 5);
}

// Printing a value recurses: a million levels would overflow the stack.
TEST(ConfigTest, RefusesDeepNesting) {
  const auto nested = [](size_t levels) {
    return absl::StrCat("{\"hidden_act\":", std::string(levels, '['),
                        std::string(levels, ']'), "}");
  };
  EXPECT_THAT(std::string(ParseConfig(nested(1'000'000)).status().message()),
              HasSubstr("nested deeper than 128 levels"));
  EXPECT_THAT(std::string(ParseConfig(nested(100)).status().message()),
              HasSubstr("model_type"));
}

TEST(ConfigTest, KeepsMessagesShort) {
  const std::string long_name(10000, 'x');
  EXPECT_LT(
      Refusal(kV1, absl::StrCat("\"hidden_act\":\"", long_name, "\"")).size(),
      500u);
}

}  // namespace
}  // namespace deberta::model
