#include "model/head_weights.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/edited_model.h"

namespace deberta::model {
namespace {

using testing::AllOf;
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
              HasSubstr("2 misshapen: classifier.weight is [3, 32], "
                        "expected [4, 32]"));
}

TEST(HeadWeightsTest, ChoosesTheHeadFromTensorsWithoutAnArchitecture) {
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

TEST(HeadWeightsTest, ChoosesTheMaskHeadThatIsPresent) {
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

TEST(HeadWeightsTest, TiesTheDecoderUnlessToldOtherwise) {
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

TEST(HeadWeightsTest, RefusesThePlainMaskHeadOverNarrowEmbeddings) {
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

TEST(HeadWeightsTest, NamesDecodersAsConfigured) {
  for (const char* name : {"emd", "plain", "legacy"}) {
    const auto decoder = ParseFillMaskDecoder(name);
    ASSERT_TRUE(decoder.ok()) << decoder.status();
    EXPECT_EQ(FillMaskDecoderName(*decoder), name);
  }
  EXPECT_THAT(std::string(ParseFillMaskDecoder("EMD").status().message()),
              HasSubstr("expected emd, plain or legacy, got \"EMD\""));
}

}  // namespace
}  // namespace deberta::model
