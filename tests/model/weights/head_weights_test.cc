#include "model/weights/head_weights.h"

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/weights/edited_model.h"

namespace deberta::model {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kPositions[] = "embeddings.position_embeddings.weight";
constexpr char kMaskedLm[] = R"("architectures": ["DebertaV2ForMaskedLM"],)";

void EraseAll(std::string_view prefix, EditedModel& model) {
  std::erase_if(model.tensors, [&](const auto& named) {
    return named.first.starts_with(prefix);
  });
}

// Copies every tensor of `golden` whose name begins so.
void AddAll(const std::string& golden, std::string_view prefix,
            EditedModel& model) {
  // Lives on to keep the bytes.
  static std::vector<std::unique_ptr<const Checkpoint>> sources;
  sources.push_back(Opened(GoldenModel(golden)));
  for (const auto& [name, tensor] : sources.back()->tensors()) {
    if (name.starts_with(prefix)) model.tensors[name] = tensor;
  }
}

TEST(HeadWeightsTest, NeverInventsAMissingHead) {
  EditedModel model("v1_no_relative");
  const std::string bare = model.config;
  model.config = absl::StrReplaceAll(
      bare, {{"DebertaModel", "DebertaForSequenceClassification"}});
  EXPECT_THAT(model.Refusal(), HasSubstr("4 missing: pooler.dense.weight, "));
  model.config =
      absl::StrReplaceAll(bare, {{"DebertaModel", "DebertaForMaskedLM"}});
  EXPECT_THAT(model.Refusal(), HasSubstr("cls.predictions.bias"));
}

TEST(HeadWeightsTest, RefusesAClassifierThatDisagreesWithTheLabels) {
  EditedModel model("v1_classify");
  model.config = absl::StrReplaceAll(
      model.config, {{"\"2\": \"positive\"", "\"2\": \"x\", \"3\": \"y\""}});
  EXPECT_THAT(model.Refusal(),
              AllOf(HasSubstr("2 misshapen: classifier.weight is [3, 32], "
                              "expected [4, 32]"),
                    HasSubstr("; config.json names "
                              "DebertaForSequenceClassification and 4 labels "
                              "(id2label, num_labels)")));
}

TEST(HeadWeightsTest, ChoosesTheHeadFromTensorsWithoutAnArchitecture) {
  const std::pair<const char*, Head> kCases[] = {
      {"v1_classify", Head::kSequenceClassification},
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

// A classifier that took the mean of all tokens was served as a tagger.
TEST(HeadWeightsTest, TakesNoClassifierForATaggerUnlessToldSo) {
  for (const auto& [name, tagger] :
       {std::pair("v3_tag", "DebertaV2ForTokenClassification"),
        std::pair("v1_c2p_tag", "DebertaForTokenClassification")}) {
    EditedModel model(name);
    ASSERT_TRUE(model.Bind().ok());
    for (const char* instead : {"\"unused\"", "\"auto_map\""}) {
      EditedModel other(name);
      other.config =
          absl::StrReplaceAll(other.config, {{"\"architectures\"", instead}});
      EXPECT_THAT(other.Refusal(),
                  AnyOf(HasSubstr(tagger), HasSubstr("run here")));
    }
  }
  EditedModel pooled("v3_classify");
  pooled.tensors.erase("pooler.dense.weight");
  pooled.tensors.erase("pooler.dense.bias");
  EXPECT_THAT(pooled.Refusal(), HasSubstr("2 missing: pooler.dense."));
  pooled.config =
      absl::StrReplaceAll(pooled.config, {{"\"architectures\"", "\"unused\""}});
  EXPECT_THAT(pooled.Refusal(), HasSubstr("pools in a way of its own"));
}

TEST(HeadWeightsTest, RefusesClassesThatAreNotTransformers) {
  EditedModel model("v3_classify");
  const std::string config = model.config;
  model.config = absl::StrReplaceAll(
      config, {{"DebertaV2ForSequenceClassification", "GuardModel"}});
  EXPECT_THAT(model.Refusal(),
              AllOf(HasSubstr("config.json: architectures: expected a class"),
                    HasSubstr("\"GuardModel\"; what a class of its own")));
  model.config = config;
  model.config.insert(1, R"("auto_map": {"AutoModel": "guard.Guard"},)");
  EXPECT_THAT(model.Refusal(), HasSubstr("guard.Guard"));
  // What deberta.json says is the user's word.
  EditedModel masks("v3_pretrained_fill");
  masks.config.insert(1, R"("architectures": ["DebertaV2ForPreTraining"],)");
  EXPECT_THAT(masks.Refusal(), HasSubstr("DebertaV2ForPreTraining"));
  EXPECT_TRUE(masks.Bind(FillMaskDecoder::kEnhanced).ok());
}

TEST(HeadWeightsTest, RefusesTensorsOfAnotherHead) {
  const auto refused = [](const char* golden, const char* from,
                          std::string_view prefix, const char* message) {
    EditedModel model(golden);
    AddAll(from, prefix, model);
    EXPECT_THAT(model.Refusal(), HasSubstr(message)) << golden << prefix;
  };
  refused("v3_tag", "v3_classify", "pooler.",
          "2 tensors of another head than that of "
          "DebertaV2ForTokenClassification (config.json's architectures): "
          "pooler.dense.bias, pooler.dense.weight");
  refused("v3_answer", "v3_classify", "classifier.", "classifier.bias");
  refused("v3_classify", "v3_answer", "qa_outputs.", "qa_outputs.bias");
  refused("v2_shared_buckets_p2c_fill", "v3_classify", "pooler.", "pooler");
  // Without an architecture too.
  EditedModel both("v3_answer");
  AddAll("v3_classify", "classifier.", both);
  both.config =
      absl::StrReplaceAll(both.config, {{"\"architectures\"", "\"unused\""}});
  EXPECT_THAT(both.Refusal(), HasSubstr("than the others make up: classifier"));
}

TEST(HeadWeightsTest, RefusesTensorsThatOnlyOwnCodeReads) {
  for (const char* golden : {"v3_classify", "v3_tag", "v1_no_relative",
                             "v3_discriminator", "v1_absolute_fill"}) {
    for (const char* name :
         {"fc.weight", "crf.transitions", "head.0.bias", "classifier.2.weight",
          "deberta.pooler.dense.weight", "cls.bias",
          "encoder.layer.0.attention.self.query_proj.lora_A.weight"}) {
      EditedModel model(golden);
      model.tensors[name] = model.tensors["embeddings.LayerNorm.bias"];
      EXPECT_THAT(model.Refusal(),
                  AllOf(HasSubstr("1 tensors that no DeBERTa class"),
                        HasSubstr(name), HasSubstr("run here")))
          << golden;
    }
  }
}

// Fine-tuning leaves them in the file.
TEST(HeadWeightsTest, LeavesHeadsOfPretrainingAlone) {
  EditedModel model("v3_classify");
  AddAll("v3_discriminator", "lm_predictions.", model);
  AddAll("v3_discriminator", "mask_predictions.", model);
  AddAll("v3_discriminator", "embeddings.position_embeddings", model);
  AddAll("v1_absolute_fill", "cls.predictions.", model);
  model.tensors["embeddings.position_ids"] =
      model.tensors["embeddings.LayerNorm.bias"];
  const auto weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->head.head, Head::kSequenceClassification);
  EXPECT_THAT(weights->unexpected, IsEmpty());
}

// Hidden states are the backbone's, whatever stands on it.
TEST(HeadWeightsTest, ServesTheBackboneOfAKnownHead) {
  EditedModel model("v3_classify");
  model.config = absl::StrReplaceAll(
      model.config, {{"DebertaV2ForSequenceClassification", "DebertaV2Model"}});
  const auto weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->head.head, Head::kNone);
  EXPECT_EQ(weights->unexpected.size(), 4u);
}

// transformers leaves them out, and warns.
TEST(HeadWeightsTest, WarnsOfPartsThatTheConfigurationTurnsOff) {
  EditedModel model("v3_tag");
  for (const char* name :
       {"encoder.layer.9.output.dense.bias", "encoder.conv.conv.bias",
        "encoder.layer.0.attention.self.pos_key_proj.bias"}) {
    model.tensors[name] = model.tensors["embeddings.LayerNorm.bias"];
  }
  const auto weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->unexpected.size(), 3u);
}

TEST(HeadWeightsTest, ReadsOfTheConfigurationWhatTheHeadHas) {
  constexpr char kGaps[] = R"(, "id2label": {"0": "a", "5": null})";
  constexpr char kPooler[] = R"(, "pooler_hidden_act": "none")";
  for (const auto& [golden, keys, message] :
       {std::tuple("v3_answer", kGaps, ""), std::tuple("v3_choose", kGaps, ""),
        std::tuple("v1_absolute_fill", kGaps, ""),
        std::tuple("v3_discriminator", kGaps, ""),
        std::tuple("v1_no_relative", kGaps, ""),
        std::tuple("v1_c2p_tag", kGaps, "config.json: id2label: expected"),
        std::tuple("v3_classify", kGaps, "config.json: id2label: expected"),
        std::tuple("v1_c2p_tag", kPooler, ""),
        std::tuple("v3_answer", kPooler, ""),
        std::tuple("v3_choose", kPooler, "config.json: pooler_hidden_act"),
        std::tuple("v3_classify", kPooler, "config.json: pooler_hidden_act")}) {
    EditedModel model(golden);
    // Of equal keys the last counts.
    model.config.insert(model.config.rfind('}'), keys);
    if (*message == '\0') {
      EXPECT_TRUE(model.Bind().ok()) << golden << keys;
    } else {
      EXPECT_THAT(model.Refusal(), HasSubstr(message)) << golden << keys;
    }
  }
}

// What Microsoft pretrained, and what transformers made of it.
TEST(HeadWeightsTest, TellsPretrainedFilesFromSavedOnes) {
  EditedModel model("v3_pretrained_fill");
  const std::string bare = model.config;
  const auto decoder = [&](const std::string& keys) {
    model.config = bare;
    model.config.insert(1, keys);
    const auto weights = model.Bind();
    EXPECT_TRUE(weights.ok()) << weights.status();
    return weights.ok() ? weights->head.decoder : std::nullopt;
  };
  EXPECT_EQ(decoder(""), FillMaskDecoder::kEnhanced);
  EXPECT_EQ(decoder(kMaskedLm), FillMaskDecoder::kEnhanced);
  EXPECT_EQ(decoder(R"("legacy": false,)"), FillMaskDecoder::kPlain);
  EXPECT_EQ(decoder(std::string(kMaskedLm) + R"("legacy": false,)"),
            FillMaskDecoder::kPlain);
  AddAll("v2_shared_buckets_p2c_fill", "cls.", model);
  EXPECT_EQ(decoder(""), FillMaskDecoder::kLegacy);
  EXPECT_EQ(decoder(R"("legacy": false,)"), FillMaskDecoder::kPlain);
  EraseAll("cls.", model);
  model.tensors.erase(kPositions);
  EXPECT_EQ(decoder(""), FillMaskDecoder::kPlain);
}

TEST(HeadWeightsTest, TakesADiscriminatorForWhatItIs) {
  EditedModel model("v3_discriminator");
  auto weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->head.head, Head::kReplacedTokenDetection);
  EXPECT_EQ(weights->head.decoder, std::nullopt);

  const std::string bare = model.config;
  model.config.insert(1, kMaskedLm);
  weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->head.head, Head::kReplacedTokenDetection);

  // transformers would load the plain head.
  model.config.insert(1, R"("legacy": false,)");
  weights = model.Bind();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->head.decoder, FillMaskDecoder::kPlain);

  model.config = bare;
  weights = model.Bind(FillMaskDecoder::kEnhanced);
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->head.decoder, FillMaskDecoder::kEnhanced);
}

TEST(HeadWeightsTest, FillsMasksAsAsked) {
  EditedModel model("v3_pretrained_fill");
  for (const FillMaskDecoder decoder :
       {FillMaskDecoder::kPlain, FillMaskDecoder::kEnhanced}) {
    const auto weights = model.Bind(decoder);
    ASSERT_TRUE(weights.ok()) << weights.status();
    EXPECT_EQ(weights->head.decoder, decoder);
    EXPECT_EQ(weights->head.decoder_positions != nullptr,
              decoder == FillMaskDecoder::kEnhanced);
  }
  EXPECT_THAT(model.Refusal(FillMaskDecoder::kLegacy),
              HasSubstr("missing: cls.predictions.transform.dense.weight"));
  model.tensors.erase(kPositions);
  EXPECT_THAT(model.Refusal(FillMaskDecoder::kEnhanced),
              HasSubstr(std::string("1 missing: ") + kPositions));

  EditedModel classifier("v3_classify");
  EXPECT_THAT(classifier.Refusal(FillMaskDecoder::kPlain),
              HasSubstr("missing: lm_predictions.lm_head.dense.weight"));
}

TEST(HeadWeightsTest, RefusesToEnhanceWhatTheOriginalDoesNot) {
  EditedModel biased("v2_biased_fill");
  EXPECT_THAT(biased.Refusal(FillMaskDecoder::kEnhanced),
              HasSubstr("needs position_biased_input false"));

  EditedModel shallow("v3_pretrained_fill");
  shallow.config = absl::StrReplaceAll(
      shallow.config,
      {{"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1"}});
  EXPECT_THAT(shallow.Refusal(),
              HasSubstr("num_hidden_layers of at least 2, got 1"));
}

// A head with a part missing is an error, never another head.
TEST(HeadWeightsTest, RefusesHalfAHead) {
  const std::pair<const char*, const char*> kCases[] = {
      {"v3_pretrained_fill", "lm_predictions.lm_head.dense.weight"},
      {"v3_pretrained_fill", "lm_predictions.lm_head.bias"},
      {"v3_discriminator", "mask_predictions.dense.weight"},
      {"v3_discriminator", "mask_predictions.LayerNorm.bias"},
      {"v3_choose", "pooler.dense.bias"},
      {"v1_absolute_fill", "cls.predictions.transform.dense.weight"},
  };
  for (const auto& [name, tensor] : kCases) {
    EditedModel model(name);
    ASSERT_EQ(model.tensors.erase(tensor), 1u) << tensor;
    EXPECT_THAT(model.Refusal(),
                HasSubstr(std::string("1 missing: ") + tensor));
  }
}

}  // namespace
}  // namespace deberta::model
