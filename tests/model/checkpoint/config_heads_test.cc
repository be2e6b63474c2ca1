// What config.json says of heads: the class, labels, the pooler.

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "json/json.h"
#include "model/checkpoint/config.h"
#include "tests/model/checkpoint/config_text.h"

namespace deberta::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Json = json::Value;

// A guard model whose own code classified without the stored pooler was served
// as DebertaV2ForSequenceClassification, and answered otherwise.
TEST(ConfigHeadsTest, NamesClassesThatAreNotTransformers) {
  struct Case {
    const char* type;
    const char* keys;
    const char* message;
  };
  for (
      const Case& c : {
          Case{kV2, R"("architectures": ["GuardForSequenceClassification"])",
               "GuardForSequenceClassification"},
          Case{kV2,
               R"("architectures": ["DebertaV2ForSequenceClassificationX"])",
               "run here"},
          Case{kV2, R"("architectures": ["DebertaV2ForPreTraining"])",
               "DebertaV2ForQuestionAnswering, DebertaV2ForMultipleChoice)"},
          Case{kV2, R"("architectures": ["debertav2model"])", "debertav2model"},
          Case{kV2, R"("architectures": ["Model"])", "DebertaV2Model"},
          Case{kV2, R"("architectures": ["TFTFDebertaV2Model"])", "TFTF"},
          Case{kV2, R"("architectures": ["DebertaForMaskedLM"])",
               "DebertaV2ForMaskedLM"},
          Case{kV1, R"("architectures": ["DebertaV2ForMaskedLM"])",
               "DebertaForMaskedLM"},
          // transformers has none for v1.
          Case{kV1, R"("architectures": ["DebertaForMultipleChoice"])",
               "DebertaForQuestionAnswering)"},
          Case{kV2, R"("architectures": ["DebertaV2Model", "Guard"])",
               "expected one class"},
          Case{kV2, R"("architectures": "DebertaV2Model")", "a list"},
          Case{kV2, R"("architectures": [null])", "null"},
          Case{kV2, R"("architectures": ["DebertaV2ForSequenceClassification"],
                "auto_map": {"AutoModelForSequenceClassification":
                             "modeling.Guard"})",
               "modeling.Guard"},
          Case{kV2, R"("auto_map": {"AutoConfig": "configuration.MyConfig"})",
               "configuration.MyConfig"},
          Case{
              kV2,
              R"("custom_pipelines": {"text-classification": {"impl": "my.P"}})",
              "my.P"},
      }) {
    const Config config = Parsed(c.type, c.keys);
    EXPECT_EQ(config.architecture_error.code(),
              absl::StatusCode::kInvalidArgument)
        << c.keys;
    EXPECT_THAT(std::string(config.architecture_error.message()),
                HasSubstr(c.message));
  }
}

TEST(ConfigHeadsTest, RefusesQuantizedWeights) {
  const auto config =
      Parse(kV2, R"("quantization_config": {"quant_method": "gptq"})");
  EXPECT_THAT(
      std::string(config.status().message()),
      testing::AllOf(HasSubstr("quantization_config"), HasSubstr("gptq")));
  EXPECT_TRUE(Parse(kV2, R"("quantization_config": null)").ok());
  EXPECT_TRUE(Parsed(kV2, R"("custom_pipelines": {})").architecture_error.ok());
}

TEST(ConfigHeadsTest, OrdersLabelsByIndex) {
  EXPECT_THAT(
      Parsed(kV1, R"("id2label": {"10": "k", "0": "a", "1": "b", "2": "c",
          "3": "d", "4": "e", "5": "f", "6": "g", "7": "h", "8": "i",
          "9": 7})")
          .labels,
      ElementsAre("a", "b", "c", "d", "e", "f", "g", "h", "i", "7", "k"));
  EXPECT_THAT(
      Parsed(kV1, R"("label2id": {"no": 0, "maybe": 2, "yes": 1})").labels,
      ElementsAre("no", "yes", "maybe"));
  EXPECT_THAT(Parsed(kV1, R"("num_labels": 3)").labels,
              ElementsAre("LABEL_0", "LABEL_1", "LABEL_2"));
  // id2label wins over both.
  EXPECT_THAT(Parsed(kV1, R"("num_labels": 3, "id2label": {"0": "x"},
                             "label2id": {"y": 0, "z": 1})")
                  .labels,
              ElementsAre("x"));
}

// As transformers 4.57.1 does by tests/golden/generators/make_label_golden.py:
// what its pipelines print, and the column that zero-shot classification reads.
TEST(ConfigHeadsTest, ReadsLabelMapsAsTheReference) {
  std::ifstream file(DEBERTA_SOURCE_DIR "/tests/golden/labels.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const absl::StatusOr<Json> cases = json::Parse(text);
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_GE(cases->size(), 27u);
  for (const Json& c : *cases) {
    const std::string keys = c["keys"].get<std::string>();
    const Config config = Parsed(kV2, keys);
    std::vector<std::string> labels;
    for (const Json& label : c["labels"]) {
      labels.push_back(label.is_string() ? label.get<std::string>()
                                         : label.dump());
    }
    EXPECT_EQ(config.labels_error.ok(), !labels.empty()) << keys;
    const bool numbered = keys.find("id2label") == keys.npos &&
                          keys.find("label2id") != keys.npos;
    // Where the reference numbers labels that label2id names, we name them.
    if (!numbered) {
      EXPECT_EQ(config.labels, labels) << keys;
    }
    if (labels.empty() || c["entailment"].is_null()) continue;
    const int64_t column = c["entailment"].get<int64_t>();
    if (column >= 0) {
      EXPECT_EQ(config.entailment_label, static_cast<size_t>(column)) << keys;
    } else if (config.entailment_label.has_value()) {
      // Without a name, it reads the last; we only where that one has it.
      EXPECT_TRUE(numbered) << keys;
      EXPECT_EQ(*config.entailment_label, labels.size() - 1) << keys;
    }
  }
}

// They matter only to heads that have them.
TEST(ConfigHeadsTest, KeepsWhatIsWrongWithLabelsAndPoolers) {
  for (const auto& [keys, detail] : {
           std::pair{R"("id2label": {"0": "a", "2": "b"})", "once"},
           std::pair{R"("id2label": {"0": "a", "00": "b"})", "once"},
           std::pair{R"("id2label": {"0": ["a"]})", "[\"a\"]"},
           std::pair{R"("id2label": {"0": NaN})", "once"},
           std::pair{R"("id2label": ["a"])", "[\"a\"]"},
           std::pair{R"("id2label": {})", "{}"},
           std::pair{R"("label2id": {"a": 0, "b": 0})", "once"},
           std::pair{R"("label2id": {"a": 0, "b": NaN})", "once"},
           std::pair{R"("id2label": {"0": "a"}, "label2id": ["a"])",
                     "label2id"},
           std::pair{R"("num_labels": 0)", "got 0"},
           std::pair{R"("num_labels": Infinity)", "got Infinity"},
       }) {
    const Config config = Parsed(kV1, keys);
    EXPECT_THAT(std::string(config.labels_error.message()), HasSubstr(detail))
        << keys;
    EXPECT_THAT(config.labels, testing::IsEmpty());
    EXPECT_EQ(config.entailment_label, std::nullopt);
    EXPECT_TRUE(config.pooler_error.ok());
  }
  for (const auto& [keys, detail] : {
           std::pair{R"("pooler_hidden_act": "x")", "pooler_hidden_act"},
           std::pair{R"("pooler_hidden_size": 5)", "(768), got 5"},
       }) {
    const Config config = Parsed(kV1, keys);
    EXPECT_THAT(std::string(config.pooler_error.message()), HasSubstr(detail));
    EXPECT_TRUE(config.labels_error.ok());
  }
}

// As ZeroShotClassificationPipeline.entailment_id of transformers 4.57.1.
TEST(ConfigHeadsTest, TakesTheEntailmentLabelFromLabel2Id) {
  const auto found = [](const std::string& keys) {
    return Parsed(kV2, keys).entailment_label;
  };
  const std::string names = R"("id2label": {"0": "ENTAILMENT", "1": "no",
                                            "2": "entailed"},)";
  EXPECT_EQ(found(names + R"("label2id": {"no": 0, "Entailment": 2})"), 2u);
  // The first of the file, not of the alphabet or the indices.
  EXPECT_EQ(found(names + R"("label2id": {"no": 0, "entails": 2,
                                          "entailed": 1, "Entail": 0})"),
            2u);
  EXPECT_EQ(found(names + R"("label2id": {"a": 0, "not_entailment": 1})"),
            std::nullopt);
  EXPECT_EQ(found(names + R"("label2id": {})"), std::nullopt);
  // There the reference fails.
  for (const char* index : {"3", "-1", "\"1\"", "0.5", "null", "NaN"}) {
    EXPECT_EQ(found(names + R"("label2id": {"entail": )" + index + "}"),
              std::nullopt)
        << index;
  }
  EXPECT_EQ(found(R"("id2label": {"0": "LABEL_0", "1": "LABEL_1"},
                     "label2id": {"entailment": 0, "contradiction": 1})"),
            0u);
  // No label2id: the reference fails, and id2label says enough.
  EXPECT_EQ(found(names + R"("label2id": null)"), 0u);
  // No id2label: the reference reads the last, whatever its name.
  EXPECT_EQ(found(R"("label2id": {"entailment": 0, "contradiction": 1})"),
            std::nullopt);
  EXPECT_EQ(found(R"("label2id": {"entailment": 1, "contradiction": 0})"), 1u);
  EXPECT_EQ(found(R"("num_labels": 3, "label2id": {"entailment": 0})"),
            std::nullopt);
  EXPECT_EQ(found(""), std::nullopt);
}

}  // namespace
}  // namespace deberta::model
