// Which tensors fill masks, and by whose decoder.

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/weights/head_weights.h"
#include "tests/model/weights/edited_model.h"

namespace deberta::model {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

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

// Gives the model's file the decoder's matrix and bias too.
void StoreDecoder(EditedModel* model) {
  model->tensors["cls.predictions.decoder.weight"] =
      model->tensors["embeddings.word_embeddings.weight"];
  model->tensors["cls.predictions.decoder.bias"] =
      model->tensors["cls.predictions.bias"];
}

TEST(HeadWeightsTest, TiesTheDecoderUnlessToldOtherwise) {
  EditedModel model("v1_absolute_fill");
  StoreDecoder(&model);
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

// Version 5 keeps a decoder that the file has beside other embeddings.
TEST(HeadWeightsTest, TakesAStoredDecoderWhereVersion5SavedTheModel) {
  for (const bool version_5 : {false, true}) {
    EditedModel model("v1_absolute_fill");
    StoreDecoder(&model);
    // Of equal keys the last counts.
    model.config.insert(model.config.rfind('}'),
                        absl::StrCat(", \"transformers_version\": \"",
                                     version_5 ? "5.24.0" : "4.57.1", "\""));
    const auto weights = model.Bind();
    ASSERT_TRUE(weights.ok()) << weights.status();
    const auto stored = [&](const char* name) {
      return model.checkpoint().Find(absl::StrCat("cls.predictions.", name));
    };
    EXPECT_EQ(weights->head.decoder_weight,
              version_5 ? stored("decoder.weight") : weights->word_embeddings);
    EXPECT_EQ(weights->head.decoder_bias,
              stored(version_5 ? "decoder.bias" : "bias"));
  }
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
