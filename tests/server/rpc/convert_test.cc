#include "server/rpc/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace deberta::server {
namespace {

using testing::ElementsAre;

TEST(ConvertTest, ClassifyRequestCarriesEveryField) {
  v1::ClassifyRequest proto;
  proto.add_inputs()->set_text("a");
  proto.add_inputs()->set_text("b");
  proto.mutable_inputs(1)->set_text_pair("c");
  proto.mutable_inputs(1)->add_choices("d");
  proto.set_function(v1::FUNCTION_SIGMOID);
  proto.set_top_k(3);
  proto.set_return_logits(true);
  proto.set_length_policy(v1::LENGTH_POLICY_WINDOW);
  proto.set_stride(7);
  const absl::StatusOr<ClassifyRequest> request = FromProto(proto);
  ASSERT_TRUE(request.ok());
  ASSERT_EQ(request->inputs.size(), 2u);
  EXPECT_EQ(request->inputs[0].text_pair, "");
  EXPECT_EQ(request->inputs[1].text, "b");
  EXPECT_EQ(request->inputs[1].text_pair, "c");
  EXPECT_THAT(request->inputs[1].choices, ElementsAre("d"));
  EXPECT_EQ(request->function, ClassifyRequest::Function::kSigmoid);
  EXPECT_EQ(request->top_k, 3);
  EXPECT_TRUE(request->return_logits);
  EXPECT_EQ(request->length_policy, LengthPolicy::kWindow);
  EXPECT_EQ(request->stride, 7);
}

TEST(ConvertTest, TagTokensRequestCarriesEveryField) {
  v1::TagTokensRequest proto;
  proto.add_inputs("a");
  proto.set_aggregation(v1::AGGREGATION_MAX);
  proto.add_ignore_labels("MISC");
  proto.set_offset_unit(v1::OFFSET_UNIT_UTF16_CODE_UNITS);
  proto.set_length_policy(v1::LENGTH_POLICY_TRUNCATE);
  proto.set_stride(2);
  proto.set_keep_ignored(true);
  proto.set_raw_offsets(true);
  const absl::StatusOr<TagTokensRequest> request = FromProto(proto);
  ASSERT_TRUE(request.ok());
  EXPECT_THAT(request->inputs, ElementsAre("a"));
  EXPECT_EQ(request->aggregation, TagTokensRequest::Aggregation::kMax);
  EXPECT_THAT(request->ignore_labels, ElementsAre("MISC"));
  EXPECT_EQ(request->offset_unit, OffsetUnit::kUtf16CodeUnits);
  EXPECT_EQ(request->length_policy, LengthPolicy::kTruncate);
  EXPECT_EQ(request->stride, 2);
  EXPECT_TRUE(request->keep_ignored);
  EXPECT_TRUE(request->raw_offsets);
}

TEST(ConvertTest, ExtractEntitiesRequestCarriesEveryField) {
  v1::ExtractEntitiesRequest proto;
  proto.add_inputs("a");
  proto.add_labels()->set_name("n");
  proto.mutable_labels(0)->set_description("d");
  proto.add_labels()->set_threshold(0.25f);
  absl::StatusOr<ExtractEntitiesRequest> request = FromProto(proto);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->threshold, 0.5f);
  EXPECT_FALSE(request->overlap.nested);
  proto.set_threshold(0);
  proto.set_overlap(v1::OVERLAP_NESTED);
  proto.set_multi_label(true);
  proto.set_offset_unit(v1::OFFSET_UNIT_UTF8_BYTES);
  proto.set_length_policy(v1::LENGTH_POLICY_WINDOW);
  proto.set_stride(3);
  proto.set_top_k(4);
  request = FromProto(proto);
  ASSERT_TRUE(request.ok());
  EXPECT_THAT(request->inputs, ElementsAre("a"));
  ASSERT_EQ(request->labels.size(), 2u);
  EXPECT_EQ(request->labels[0].name, "n");
  EXPECT_EQ(request->labels[0].description, "d");
  EXPECT_FALSE(request->labels[0].threshold.has_value());
  EXPECT_EQ(request->labels[1].threshold, 0.25f);
  EXPECT_EQ(request->threshold, 0);
  EXPECT_TRUE(request->overlap.nested);
  EXPECT_TRUE(request->overlap.multi_label);
  EXPECT_EQ(request->offset_unit, OffsetUnit::kUtf8Bytes);
  EXPECT_EQ(request->length_policy, LengthPolicy::kWindow);
  EXPECT_EQ(request->stride, 3);
  EXPECT_EQ(request->top_k, 4);
}

TEST(ConvertTest, ExtractStructuredRequestCarriesEveryField) {
  v1::ExtractStructuredRequest proto;
  proto.add_inputs("a");
  v1::StructureSchema& structure = *proto.add_structures();
  structure.set_name("s");
  v1::StructureField& field = *structure.add_fields();
  field.set_name("f");
  field.set_type(v1::FIELD_TYPE_STR);
  field.add_choices("c");
  field.set_description("d");
  field.set_threshold(0.25f);
  structure.add_fields();
  v1::RelationSchema& relation = *proto.add_relations();
  relation.set_name("r");
  relation.set_description("e");
  relation.set_threshold(0.75f);
  proto.add_relations();
  absl::StatusOr<ExtractStructuredRequest> request = FromProto(proto);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->threshold, 0.5f);
  proto.set_threshold(0.125f);
  proto.set_offset_unit(v1::OFFSET_UNIT_UTF16_CODE_UNITS);
  proto.set_length_policy(v1::LENGTH_POLICY_TRUNCATE);
  proto.set_stride(3);
  request = FromProto(proto);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_THAT(request->inputs, ElementsAre("a"));
  ASSERT_EQ(request->structures.size(), 1u);
  EXPECT_EQ(request->structures[0].name, "s");
  ASSERT_EQ(request->structures[0].fields.size(), 2u);
  const StructureField& first = request->structures[0].fields[0];
  EXPECT_EQ(first.name, "f");
  EXPECT_TRUE(first.single);
  EXPECT_THAT(first.choices, ElementsAre("c"));
  EXPECT_EQ(first.description, "d");
  EXPECT_EQ(first.threshold, 0.25f);
  EXPECT_FALSE(request->structures[0].fields[1].single);
  EXPECT_FALSE(request->structures[0].fields[1].threshold.has_value());
  ASSERT_EQ(request->relations.size(), 2u);
  EXPECT_EQ(request->relations[0].name, "r");
  EXPECT_EQ(request->relations[0].description, "e");
  EXPECT_EQ(request->relations[0].threshold, 0.75f);
  EXPECT_FALSE(request->relations[1].threshold.has_value());
  EXPECT_EQ(request->threshold, 0.125f);
  EXPECT_EQ(request->offset_unit, OffsetUnit::kUtf16CodeUnits);
  EXPECT_EQ(request->length_policy, LengthPolicy::kTruncate);
  EXPECT_EQ(request->stride, 3);
}

TEST(ConvertTest, RerankRequestCarriesEveryField) {
  v1::RerankRequest proto;
  proto.set_query("q");
  proto.add_documents("d");
  proto.set_top_k(2);
  proto.set_raw_scores(true);
  proto.set_length_policy(v1::LENGTH_POLICY_TRUNCATE);
  proto.set_stride(5);
  const absl::StatusOr<RerankRequest> request = FromProto(proto);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->query, "q");
  EXPECT_THAT(request->documents, ElementsAre("d"));
  EXPECT_EQ(request->top_k, 2);
  EXPECT_TRUE(request->raw_scores);
  EXPECT_EQ(request->length_policy, LengthPolicy::kTruncate);
  EXPECT_EQ(request->stride, 5);
}

TEST(ConvertTest, AnswerQuestionRequestCarriesEveryField) {
  v1::AnswerQuestionRequest proto;
  proto.add_inputs()->set_question("q");
  proto.mutable_inputs(0)->set_context("c");
  proto.set_top_k(2);
  proto.set_max_answer_tokens(9);
  proto.set_handle_impossible_answer(true);
  proto.set_stride(4);
  proto.set_max_window_tokens(64);
  proto.set_align_to_words(false);
  proto.set_offset_unit(v1::OFFSET_UNIT_UTF8_BYTES);
  proto.set_rule(v1::RULE_SQUAD_V2);
  proto.set_null_threshold(-1.5f);
  proto.set_raw_offsets(true);
  const absl::StatusOr<AnswerQuestionRequest> request = FromProto(proto);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->inputs.at(0).question, "q");
  EXPECT_EQ(request->inputs.at(0).context, "c");
  EXPECT_EQ(request->top_k, 2);
  EXPECT_EQ(request->max_answer_tokens, 9);
  EXPECT_TRUE(request->handle_impossible_answer);
  EXPECT_EQ(request->stride, 4);
  EXPECT_EQ(request->max_window_tokens, 64);
  EXPECT_FALSE(request->align_to_words);
  EXPECT_EQ(request->offset_unit, OffsetUnit::kUtf8Bytes);
  EXPECT_EQ(request->rule, AnswerQuestionRequest::Rule::kSquadV2);
  EXPECT_EQ(request->null_threshold, -1.5f);
  EXPECT_TRUE(request->raw_offsets);
}

TEST(ConvertTest, ZeroShotRequestCarriesEveryField) {
  v1::ClassifyZeroShotRequest proto;
  proto.add_inputs("a");
  proto.add_labels("b");
  proto.add_labels("c");
  proto.set_hypothesis_template("{}?");
  proto.set_prompt("d");
  proto.set_multi_label(true);
  proto.set_length_policy(v1::LENGTH_POLICY_TRUNCATE);
  proto.set_stride(3);
  const absl::StatusOr<ZeroShotRequest> request = FromProto(proto);
  ASSERT_TRUE(request.ok());
  EXPECT_THAT(request->inputs, ElementsAre("a"));
  EXPECT_THAT(request->labels, ElementsAre("b", "c"));
  EXPECT_EQ(request->hypothesis_template, "{}?");
  EXPECT_EQ(request->prompt, "d");
  EXPECT_TRUE(request->multi_label);
  EXPECT_EQ(request->length_policy, LengthPolicy::kTruncate);
  EXPECT_EQ(request->stride, 3);
}

TEST(ConvertTest, DefaultsAreThoseOfTheApi) {
  EXPECT_EQ(FromProto(v1::ClassifyRequest())->function,
            ClassifyRequest::Function::kPipeline);
  EXPECT_EQ(FromProto(v1::ClassifyRequest())->length_policy,
            LengthPolicy::kReject);
  EXPECT_EQ(FromProto(v1::TagTokensRequest())->aggregation,
            TagTokensRequest::Aggregation::kSimple);
  EXPECT_TRUE(FromProto(v1::AnswerQuestionRequest())->align_to_words);
  EXPECT_EQ(FromProto(v1::AnswerQuestionRequest())->rule,
            AnswerQuestionRequest::Rule::kPipeline);
  EXPECT_EQ(FromProto(v1::EncodeRequest())->pooling,
            EncodeRequest::Pooling::kModel);
  EXPECT_TRUE(FromProto(v1::TokenizeRequest())->add_special_tokens);
  EXPECT_EQ(FromProto(v1::TokenizeRequest())->offset_unit,
            OffsetUnit::kCodePoints);
}

TEST(ConvertTest, UnknownEnumValuesAreRefusedByField) {
  v1::TagTokensRequest tag;
  tag.set_aggregation(static_cast<v1::Aggregation>(9));
  EXPECT_EQ(InputErrorField(FromProto(tag).status()), "aggregation");
  v1::AnswerQuestionRequest question;
  question.set_rule(static_cast<v1::Rule>(-1));
  EXPECT_EQ(InputErrorField(FromProto(question).status()), "rule");
  v1::EncodeRequest encode;
  encode.set_pooling(static_cast<v1::Pooling>(100));
  EXPECT_EQ(InputErrorField(FromProto(encode).status()), "pooling");
  v1::FillMaskRequest fill;
  fill.set_length_policy(static_cast<v1::LengthPolicy>(4));
  EXPECT_EQ(InputErrorField(FromProto(fill).status()), "length_policy");
  v1::ClassifyZeroShotRequest zero_shot;
  zero_shot.set_length_policy(static_cast<v1::LengthPolicy>(-1));
  EXPECT_EQ(InputErrorField(FromProto(zero_shot).status()), "length_policy");
  v1::TokenizeRequest tokenize;
  tokenize.set_offset_unit(static_cast<v1::OffsetUnit>(4));
  EXPECT_EQ(InputErrorField(FromProto(tokenize).status()), "offset_unit");
}

TEST(ConvertTest, ThresholdThatIsNotANumberIsRefused) {
  v1::AnswerQuestionRequest proto;
  proto.set_null_threshold(std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(InputErrorField(FromProto(proto).status()), "null_threshold");
}

TEST(ConvertTest, ResultsCarryEveryField) {
  const Coverage coverage = {
      .tokens_total = 9, .tokens_used = 7, .windows = 2, .truncated = true};
  v1::TagTokensResult tagged;
  ToProto({.entities = {{.label = "X",
                         .score = 0.5f,
                         .text = "abc",
                         .start = 1,
                         .end = 4,
                         .token_index = 2}},
           .coverage = coverage},
          &tagged);
  EXPECT_EQ(tagged.ShortDebugString(),
            "entities { label: \"X\" score: 0.5 text: \"abc\" start: 1 end: 4 "
            "token_index: 2 } coverage { tokens_total: 9 tokens_used: 7 "
            "windows: 2 truncated: true }");

  v1::AnswerQuestionResult answered;
  ToProto({.answers = {{.text = "a",
                        .score = 0.25f,
                        .start = 3,
                        .end = 4,
                        .no_answer = true}},
           .coverage = {}},
          &answered);
  EXPECT_EQ(answered.answers(0).ShortDebugString(),
            "text: \"a\" score: 0.25 start: 3 end: 4 no_answer: true");

  v1::FillMaskResult filled;
  ToProto({.masks = {{.token_index = 3,
                      .candidates = {{.token_id = 8,
                                      .token = "t",
                                      .score = 0.5f,
                                      .sequence = "s"}}}},
           .coverage = {}},
          &filled);
  EXPECT_EQ(filled.masks(0).ShortDebugString(),
            "token_index: 3 candidates { token_id: 8 token: \"t\" score: 0.5 "
            "sequence: \"s\" }");

  v1::ClassifyZeroShotResult judged;
  ToProto({.labels = {{.label = "l", .index = 2, .score = 0.5f}},
           .coverage = coverage},
          &judged);
  EXPECT_EQ(judged.ShortDebugString(),
            "labels { label: \"l\" index: 2 score: 0.5 } coverage { "
            "tokens_total: 9 tokens_used: 7 windows: 2 truncated: true }");

  v1::ExtractEntitiesResult extracted;
  ToProto({.entities = {{.label = "l",
                         .label_index = 1,
                         .score = 0.5f,
                         .text = "t",
                         .start = 2,
                         .end = 3,
                         .labels = {{"l", 1, 0.5f}}}},
           .coverage = coverage},
          &extracted);
  EXPECT_EQ(extracted.ShortDebugString(),
            "entities { label: \"l\" label_index: 1 score: 0.5 text: \"t\" "
            "start: 2 end: 3 labels { label: \"l\" index: 1 score: 0.5 } } "
            "coverage { tokens_total: 9 tokens_used: 7 windows: 2 truncated: "
            "true }");

  v1::ExtractStructuredResult structured;
  ToProto({.structures = {{.name = "s",
                           .schema = 1,
                           .fields = {{.name = "f",
                                       .values = {{"t", 0.5f, {{2, 3}}},
                                                  {"c", 0.5f, {}}}}}}},
           .relations = {{.name = "r",
                          .schema = 2,
                          .head = {"h", 0.5f, {{0, 1}}},
                          .tail = {"e", 0.5f, {{4, 5}}}}},
           .coverage = coverage},
          &structured);
  EXPECT_EQ(
      structured.ShortDebugString(),
      "structures { name: \"s\" structure_index: 1 fields { name: \"f\" "
      "values { text: \"t\" score: 0.5 start: 2 end: 3 } values { text: "
      "\"c\" score: 0.5 } } } relations { name: \"r\" relation_index: 2 "
      "head { text: \"h\" score: 0.5 start: 0 end: 1 } tail { text: \"e\" "
      "score: 0.5 start: 4 end: 5 } } coverage { tokens_total: 9 "
      "tokens_used: 7 windows: 2 truncated: true }");

  v1::RerankResult ranked;
  ToProto({.index = 3, .score = 0.5f, .coverage = coverage}, &ranked);
  EXPECT_EQ(ranked.ShortDebugString(),
            "index: 3 score: 0.5 coverage { tokens_total: 9 tokens_used: 7 "
            "windows: 2 truncated: true }");

  v1::EncodeResult encoded;
  ToProto({.vectors = {{1.0f, 2.0f}}, .tokens = {"t"}, .coverage = {}},
          &encoded);
  EXPECT_THAT(encoded.vectors(0).values(), ElementsAre(1.0f, 2.0f));
  EXPECT_THAT(encoded.tokens(), ElementsAre("t"));
}

TEST(ConvertTest, ModelCarriesEveryField) {
  ServedModel model;
  ModelDescription& told = model.description;
  const std::vector<std::string> labels = {"x", "y"};
  told.name = "n";
  told.precision = "bf16";
  told.requested_precision = "auto";
  told.precision_note = "fast";
  told.agreement = {.labels = 2, .agreeing = 1, .max_logit_change = 0.25};
  told.family = "deberta-v2";
  told.tasks = {TaskKind::kFillMask, TaskKind::kEncode};
  told.sha256 = "ab";
  model.task_model.labels = labels;
  told.hidden_size = 8;
  told.layers = 2;
  told.parameters = int64_t{1} << 40;
  told.weights_format = "safetensors";
  told.tokenizer_profile = "hf4";
  told.fill_mask_decoder = "emd";
  told.resident_bytes = uint64_t{1} << 41;
  model.task_model.max_tokens = 512;
  v1::GetModelResponse out;
  ToProto(model, &out);
  EXPECT_EQ(out.ShortDebugString(),
            "model { name: \"n\" precision: \"bf16\" family: \"deberta-v2\" "
            "tasks: TASK_FILL_MASK tasks: TASK_ENCODE sha256: \"ab\" } labels: "
            "\"x\" labels: \"y\" max_tokens: 512 hidden_size: 8 layers: 2 "
            "parameters: 1099511627776 weights_format: \"safetensors\" "
            "tokenizer_profile: \"hf4\" resident_bytes: 2199023255552 "
            "fill_mask_decoder: \"emd\" requested_precision: \"auto\" "
            "precision_note: \"fast\" label_agreement: 0.5 max_logit_change: "
            "0.25 default_pooling: \"cls\" default_vector_size: 8");
  told.keeps_fp32 = true;
  ToProto(model, &out);
  EXPECT_TRUE(out.fp32_available());
  const model::LabelHead head = {
      .architecture = "gliner", .max_words = 3, .max_span_words = 2};
  model.task_model.label_head = &head;
  ToProto(model, &out);
  EXPECT_EQ(out.max_words(), 3);
  EXPECT_EQ(out.max_span_words(), 2);
  EXPECT_EQ(out.architecture(), "gliner");
}

}  // namespace
}  // namespace deberta::server
