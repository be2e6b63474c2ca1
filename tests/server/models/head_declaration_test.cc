#include "server/models/head_declaration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/models/published_conventions.h"

namespace deberta::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<HeadDeclaration> Read(const std::string& text) {
  const auto value = json::Parse(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return ReadHeadDeclaration("head", *value);
}

std::string ErrorOf(const std::string& text) {
  const auto head = Read(text);
  EXPECT_TRUE(absl::IsInvalidArgument(head.status())) << text;
  return std::string(head.status().message());
}

TEST(HeadDeclarationTest, ReadsOneOutput) {
  const auto head = Read(R"({"backbone": "net.", "pooling": "mean",
      "layers": [{"linear": "dense"}, {"activation": "tanh"},
                 {"layer_norm": "norm"}],
      "outputs": [{"linear": "out", "labels": ["a", "b"],
                   "function": "sigmoid"}]})");
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->backbone, "net.");
  EXPECT_EQ(head->head.pooling, model::SequencePooling::kMean);
  ASSERT_EQ(head->head.layers.size(), 3u);
  EXPECT_EQ(head->head.layers[0].tensors, "dense");
  EXPECT_EQ(head->head.layers[1].activation, model::Activation::kTanh);
  EXPECT_EQ(head->head.layers[2].kind,
            model::DeclaredHead::Layer::Kind::kLayerNorm);
  EXPECT_THAT(head->head.outputs[0].labels, ElementsAre("a", "b"));
  EXPECT_EQ(head->function, ScoreFunction::kSigmoid);
  EXPECT_FALSE(head->HasNamedOutputs());
  const auto marker =
      Read(R"({"pooling": {"token_id": 7}, "outputs": [{"linear": "out"}]})");
  ASSERT_TRUE(marker.ok()) << marker.status();
  EXPECT_EQ(marker->head.pooling, model::SequencePooling::kMarker);
  EXPECT_EQ(marker->head.marker, 7);
  EXPECT_EQ(marker->function, std::nullopt);
}

TEST(HeadDeclarationTest, PlacesSeveralOutputs) {
  auto head = Read(R"({"outputs": [
      {"name": "a", "linear": "x", "score": {"weights": [2, 1, 0],
       "divisor": 2, "decimals": 4, "zero_below": 0.05}},
      {"name": "b", "linear": "y"}],
      "scores": [{"name": "c", "of": {"a": 0.5}, "decimals": 5}]})");
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_TRUE(head->HasNamedOutputs());
  EXPECT_FALSE(PlaceOutputs({2, 4}, &head->outputs).ok());
  ASSERT_TRUE(PlaceOutputs({3, 4}, &head->outputs).ok());
  EXPECT_EQ(head->outputs.outputs[1].first, 3u);
  EXPECT_EQ(head->outputs.outputs[1].columns, 4u);
  EXPECT_EQ(head->outputs.scores[0].of[0].first, 0u);
}

TEST(HeadDeclarationTest, RoundsHalfToEvenAndCutsWhatIsSmall) {
  EXPECT_EQ(Rounded(0.125, {.decimals = 2}), 0.12);
  EXPECT_EQ(Rounded(0.375, {.decimals = 2}), 0.38);
  EXPECT_EQ(Rounded(1.23456, {}), 1.23456);
  EXPECT_EQ(Rounded(0.04994, {.decimals = 4, .zero_below = 0.05}), 0);
  EXPECT_EQ(Rounded(0.04996, {.decimals = 3, .zero_below = 0.05}), 0.05);
}

TEST(HeadDeclarationTest, NamesWhatIsWrong) {
  const auto output = [](const std::string& more) {
    return R"({"outputs": [{"linear": "x")" + more + "}]}";
  };
  EXPECT_THAT(ErrorOf("{}"), HasSubstr("head.outputs: expected an array"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("head: expected an object"));
  EXPECT_THAT(ErrorOf(R"({"output": []})"), HasSubstr("only the keys"));
  EXPECT_THAT(ErrorOf(R"({"outputs": [{}]})"),
              HasSubstr("head.outputs[0].linear: expected a string"));
  EXPECT_THAT(ErrorOf(output(R"(, "labels": [])")),
              HasSubstr("head.outputs[0].labels"));
  EXPECT_THAT(ErrorOf(output(R"(, "function": "argmax")")),
              HasSubstr("softmax, sigmoid or none"));
  EXPECT_THAT(ErrorOf(output(R"(, "score": {"weights": [1]})")),
              HasSubstr("a name beside a score"));
  EXPECT_THAT(ErrorOf(output(R"(, "name": "n", "score": {"weights": ["1"]})")),
              HasSubstr("weights[0]: expected a number"));
  EXPECT_THAT(ErrorOf(output(R"(, "name": "n",
                  "score": {"weights": [1], "divisor": 0})")),
              HasSubstr("divisor"));
  EXPECT_THAT(ErrorOf(R"({"outputs": [{"linear": "x"}, {"linear": "y"}]})"),
              HasSubstr("head.outputs[0].name"));
  EXPECT_THAT(ErrorOf(R"({"outputs": [{"linear": "x", "name": "n"},
                                      {"linear": "y", "name": "n"}]})"),
              HasSubstr("one output of a name"));
  EXPECT_THAT(ErrorOf(R"({"outputs": [{"linear": "x", "name": "n"}],
                          "scores": [{"name": "s", "of": {"n": 1}}]})"),
              HasSubstr("outputs that have a score"));
  for (const char* layer :
       {"{}", "[]", R"({"dropout": "x"})", R"({"linear": ""})",
        R"({"linear": "x", "activation": "tanh"})"}) {
    EXPECT_THAT(ErrorOf(R"({"outputs": [{"linear": "x"}], "layers": [)" +
                        std::string(layer) + "]}"),
                HasSubstr("head.layers[0]"));
  }
  for (const char* pooling :
       {"\"sum\"", "1", "{}", R"({"token_id": -1})", R"({"token_id": "x"})",
        R"({"token_id": 1, "x": 2})", R"({"token_id": 2147483648})"}) {
    EXPECT_THAT(ErrorOf(R"({"outputs": [{"linear": "x"}], "pooling": )" +
                        std::string(pooling) + "}"),
                HasSubstr("head.pooling: expected first, last"));
  }
}

// What is recognised must itself be a declaration.
TEST(HeadDeclarationTest, KnownHeadsAreDeclarations) {
  const auto known = [](const std::string& config) {
    const json::Value head = KnownHead(*json::Parse(config));
    const auto declaration = ReadHeadDeclaration("known", head);
    EXPECT_TRUE(declaration.ok()) << declaration.status();
    return declaration.ok() ? *declaration : HeadDeclaration();
  };
  EXPECT_EQ(known(R"({"fc_dropout": 0.2})").head.outputs[0].tensors, "fc");
  const HeadDeclaration desklib =
      known(R"({"architectures": ["DesklibAIDetectionModel"]})");
  EXPECT_EQ(desklib.head.pooling, model::SequencePooling::kMean);
  EXPECT_EQ(desklib.function, ScoreFunction::kSigmoid);
  const HeadDeclaration complexity = known(R"({"target_sizes": {},
      "task_type_map": {"0": "A", "1": "B"},
      "weights_map": {"creativity_scope": [2, 1, 0], "reasoning": [0, 1],
        "contextual_knowledge": [0, 1], "number_of_few_shots": [0, 1],
        "domain_knowledge": [3, 1], "no_label_reason": [0],
        "constraint_ct": [1, 0]},
      "divisor_map": {"creativity_scope": 2}})");
  ASSERT_EQ(complexity.outputs.outputs.size(), 8u);
  EXPECT_THAT(complexity.head.outputs[0].labels, ElementsAre("A", "B"));
  EXPECT_EQ(complexity.outputs.outputs[1].score->divisor, 2);
  EXPECT_EQ(complexity.outputs.outputs[4].score->rounding.zero_below, 0.05);
  EXPECT_EQ(complexity.outputs.scores[0].of.size(), 6u);
  EXPECT_TRUE(
      KnownHead(*json::Parse(R"({"model_type": "deberta"})")).is_null());
}

}  // namespace
}  // namespace deberta::server
