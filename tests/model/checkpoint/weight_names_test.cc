#include "model/checkpoint/weight_names.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::model {
namespace {

TEST(WeightNamesTest, NormalizesPrefixesAndLayerNorms) {
  EXPECT_EQ(NormalizeWeightName("deberta.encoder.x"), "encoder.x");
  EXPECT_EQ(NormalizeWeightName("module.deberta.encoder.x"), "encoder.x");
  EXPECT_EQ(NormalizeWeightName("bert.encoder.x"), "encoder.x");
  EXPECT_EQ(NormalizeWeightName("pooler.dense.weight"), "pooler.dense.weight");
  EXPECT_EQ(NormalizeWeightName("deberta.embeddings.LayerNorm.gamma"),
            "embeddings.LayerNorm.weight");
  EXPECT_EQ(NormalizeWeightName("LayerNorm.beta"), "LayerNorm.bias");
  EXPECT_EQ(NormalizeWeightName("gamma"), "gamma");
  // The reference finds no head below the backbone's name.
  for (const char* name :
       {"deberta.pooler.dense.weight", "bert.pooler.dense.weight",
        "deberta.deberta.encoder.x", "deberta.embeddings", "deberta"}) {
    EXPECT_EQ(NormalizeWeightName(name), name);
  }
}

TEST(WeightNamesTest, TellsWhatATensorLeftOverCanBe) {
  const std::pair<WeightKind, std::vector<const char*>> kCases[] = {
      {WeightKind::kIdle,
       {"embeddings.position_ids", "embeddings.position_embeddings.weight",
        "embeddings.word_embeddings._weight"}},
      {WeightKind::kPretrainingHead,
       {"cls.predictions.decoder.bias", "lm_predictions.lm_head.bias",
        "mask_predictions.classifier.weight"}},
      {WeightKind::kTaskHead,
       {"pooler.dense.weight", "pooler.dense.bias", "classifier.weight",
        "classifier.bias", "qa_outputs.weight"}},
      {WeightKind::kBackbone,
       {"embeddings.token_type_embeddings.weight",
        "embeddings.embed_proj.weight", "encoder.rel_embeddings.weight",
        "encoder.LayerNorm.bias", "encoder.conv.conv.weight",
        "encoder.layer.12.output.LayerNorm.bias",
        "encoder.layer.0.attention.self.pos_key_proj.weight",
        "encoder.layer.0.attention.self.q_bias",
        "encoder.layer.0.attention.self.head_logits_proj.weight"}},
      {WeightKind::kForeign,
       {"fc.weight",
        "head.0.weight",
        "crf.transitions",
        "lstm.weight_ih_l0",
        "classifier.0.weight",
        "classifier.dense.weight",
        "classifier.out_proj.bias",
        "classifier",
        "classifier2.weight",
        "pooler.weight",
        "pooler.dense.0.weight",
        "cls.weight",
        "cls.predictions.transform.dense2.weight",
        "proj.bias",
        "deberta.pooler.dense.weight",
        "log_sigma",
        "encoder.layer.0.attention.self.query_proj.lora_A.weight",
        "encoder.layer.0.adapter.down.weight",
        "encoder.layer.0.extra",
        "encoder.layer.x.output.dense.weight",
        "encoder.layer.",
        "encoder.layer.1",
        "encoder.norm.weight",
        "embeddings.weight",
        ""}}};
  for (const auto& [kind, names] : kCases) {
    for (const char* name : names) EXPECT_EQ(KindOfWeight(name), kind) << name;
  }
}

}  // namespace
}  // namespace deberta::model
