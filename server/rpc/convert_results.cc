#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/rpc/convert.h"

namespace deberta::server {
namespace {

// Counts of tokens and positions; requests are too small to reach the limit.
int32_t ToInt32(uint64_t value) {
  constexpr uint64_t kLimit = std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>(std::min(value, kLimit));
}

void SetCoverage(const Coverage& coverage, v1::Coverage* out) {
  out->set_tokens_total(ToInt32(coverage.tokens_total));
  out->set_tokens_used(ToInt32(coverage.tokens_used));
  out->set_windows(ToInt32(coverage.windows));
  out->set_truncated(coverage.truncated);
}

v1::Task ToProto(TaskKind task) {
  switch (task) {
    case TaskKind::kClassify:
      return v1::TASK_CLASSIFY;
    case TaskKind::kTagTokens:
      return v1::TASK_TAG_TOKENS;
    case TaskKind::kAnswerQuestion:
      return v1::TASK_ANSWER_QUESTION;
    case TaskKind::kFillMask:
      return v1::TASK_FILL_MASK;
    case TaskKind::kZeroShot:
      return v1::TASK_ZERO_SHOT;
    case TaskKind::kEncode:
      return v1::TASK_ENCODE;
    case TaskKind::kExtractEntities:
      return v1::TASK_EXTRACT_ENTITIES;
    case TaskKind::kRerank:
      return v1::TASK_RERANK;
    case TaskKind::kExtractStructured:
      return v1::TASK_EXTRACT_STRUCTURED;
  }
  return v1::TASK_UNSPECIFIED;
}

v1::Function ToProto(ScoreFunction function) {
  switch (function) {
    case ScoreFunction::kSoftmax:
      return v1::FUNCTION_SOFTMAX;
    case ScoreFunction::kSigmoid:
      return v1::FUNCTION_SIGMOID;
    case ScoreFunction::kNone:
      return v1::FUNCTION_NONE;
  }
  return v1::FUNCTION_UNSPECIFIED;
}

// What the directory says of answers that requests leave open.
void SetDefaults(const ServedModel& model, v1::GetModelResponse* out) {
  const TaskModel& task_model = model.task_model;
  if (task_model.function.has_value())
    out->set_default_function(ToProto(*task_model.function));
  TextVectors vectors = {.poolings = {TextPooling::kCls}};
  if (task_model.vectors != nullptr) vectors = *task_model.vectors;
  std::string poolings;
  for (const TextPooling pooling : vectors.poolings)
    absl::StrAppend(&poolings, poolings.empty() ? "" : "+",
                    TextPoolingName(pooling));
  out->set_default_pooling(poolings);
  for (const VectorLayer& layer : vectors.layers) {
    out->add_default_vector_layers(
        layer.kind == VectorLayer::Kind::kDense ? "dense" : "normalize");
  }
  out->set_default_vector_size(static_cast<int32_t>(
      vectors.width(static_cast<size_t>(model.description.hidden_size))));
  if (task_model.outputs == nullptr) return;
  for (const HeadOutput& output : task_model.outputs->outputs)
    out->add_outputs(output.name);
  for (const CombinedScore& score : task_model.outputs->scores)
    out->add_outputs(score.name);
}

template <typename Result>
void AddLabels(const std::vector<LabelScore>& labels, Result* out) {
  for (const LabelScore& label : labels) {
    v1::LabelScore* score = out->add_labels();
    score->set_label(label.label);
    score->set_index(label.index);
    score->set_score(label.score);
  }
}

void SetValue(const StructuredValue& value, v1::ExtractedValue* out) {
  out->set_text(value.text);
  out->set_score(value.score);
  if (!value.place.has_value()) return;
  out->set_start(ToInt32(value.place->start));
  out->set_end(ToInt32(value.place->end));
}

}  // namespace

void ToProto(const ClassifyResult& result, v1::ClassifyResult* out) {
  out->Clear();
  AddLabels(result.labels, out);
  for (const ClassifyOutput& output : result.outputs) {
    v1::ClassifyOutput* proto = out->add_outputs();
    proto->set_name(output.name);
    AddLabels(output.labels, proto);
    if (output.score.has_value()) proto->set_score(*output.score);
  }
  out->mutable_logits()->Add(result.logits.begin(), result.logits.end());
  SetCoverage(result.coverage, out->mutable_coverage());
}

void ToProto(const TagTokensResult& result, v1::TagTokensResult* out) {
  out->Clear();
  for (const Entity& entity : result.entities) {
    v1::Entity* proto = out->add_entities();
    proto->set_label(entity.label);
    proto->set_score(entity.score);
    proto->set_text(entity.text);
    proto->set_start(ToInt32(entity.start));
    proto->set_end(ToInt32(entity.end));
    proto->set_token_index(ToInt32(entity.token_index));
  }
  SetCoverage(result.coverage, out->mutable_coverage());
}

void ToProto(const AnswerQuestionResult& result,
             v1::AnswerQuestionResult* out) {
  out->Clear();
  for (const Answer& answer : result.answers) {
    v1::Answer* proto = out->add_answers();
    proto->set_text(answer.text);
    proto->set_score(answer.score);
    proto->set_start(ToInt32(answer.start));
    proto->set_end(ToInt32(answer.end));
    proto->set_no_answer(answer.no_answer);
  }
  SetCoverage(result.coverage, out->mutable_coverage());
}

void ToProto(const FillMaskResult& result, v1::FillMaskResult* out) {
  out->Clear();
  for (const MaskPrediction& mask : result.masks) {
    v1::MaskPrediction* prediction = out->add_masks();
    prediction->set_token_index(ToInt32(mask.token_index));
    for (const MaskCandidate& candidate : mask.candidates) {
      v1::MaskCandidate* proto = prediction->add_candidates();
      proto->set_token_id(candidate.token_id);
      proto->set_token(candidate.token);
      proto->set_score(candidate.score);
      proto->set_sequence(candidate.sequence);
    }
  }
  SetCoverage(result.coverage, out->mutable_coverage());
}

void ToProto(const ZeroShotResult& result, v1::ClassifyZeroShotResult* out) {
  out->Clear();
  AddLabels(result.labels, out);
  SetCoverage(result.coverage, out->mutable_coverage());
}

void ToProto(const ExtractEntitiesResult& result,
             v1::ExtractEntitiesResult* out) {
  out->Clear();
  for (const ExtractedEntity& entity : result.entities) {
    v1::ExtractedEntity* proto = out->add_entities();
    proto->set_label(entity.label);
    proto->set_label_index(ToInt32(entity.label_index));
    proto->set_score(entity.score);
    proto->set_text(entity.text);
    proto->set_start(ToInt32(entity.start));
    proto->set_end(ToInt32(entity.end));
    AddLabels(entity.labels, proto);
  }
  SetCoverage(result.coverage, out->mutable_coverage());
}

void ToProto(const ExtractStructuredResult& result,
             v1::ExtractStructuredResult* out) {
  out->Clear();
  for (const ExtractedStructure& structure : result.structures) {
    v1::ExtractedStructure* proto = out->add_structures();
    proto->set_name(structure.name);
    proto->set_structure_index(ToInt32(structure.schema));
    for (const ExtractedField& field : structure.fields) {
      v1::ExtractedField* of = proto->add_fields();
      of->set_name(field.name);
      for (const StructuredValue& value : field.values)
        SetValue(value, of->add_values());
    }
  }
  for (const ExtractedRelation& relation : result.relations) {
    v1::ExtractedRelation* proto = out->add_relations();
    proto->set_name(relation.name);
    proto->set_relation_index(ToInt32(relation.schema));
    SetValue(relation.head, proto->mutable_head());
    SetValue(relation.tail, proto->mutable_tail());
  }
  SetCoverage(result.coverage, out->mutable_coverage());
}

void ToProto(const RerankResult& result, v1::RerankResult* out) {
  out->Clear();
  out->set_index(ToInt32(result.index));
  out->set_score(result.score);
  SetCoverage(result.coverage, out->mutable_coverage());
}

void ToProto(const EncodeResult& result, v1::EncodeResult* out) {
  out->Clear();
  for (const std::vector<float>& vector : result.vectors)
    out->add_vectors()->mutable_values()->Add(vector.begin(), vector.end());
  for (const std::string& token : result.tokens) out->add_tokens(token);
  SetCoverage(result.coverage, out->mutable_coverage());
}

void ToProto(const TokenizeResult& result, v1::TokenizeResult* out) {
  out->Clear();
  out->mutable_ids()->Add(result.ids.begin(), result.ids.end());
  for (const std::string& token : result.tokens) out->add_tokens(token);
  out->mutable_token_type_ids()->Add(result.token_type_ids.begin(),
                                     result.token_type_ids.end());
  out->mutable_special_tokens_mask()->Add(result.special_tokens_mask.begin(),
                                          result.special_tokens_mask.end());
  for (const tokenizer::Span& span : result.offsets) {
    v1::Span* proto = out->add_offsets();
    proto->set_start(ToInt32(span.start));
    proto->set_end(ToInt32(span.end));
  }
}

void ToProto(const ServedModel& model, v1::ServedModel* out) {
  const ModelDescription& told = model.description;
  out->Clear();
  out->set_name(told.name);
  out->set_precision(told.precision);
  out->set_family(told.family);
  for (const TaskKind task : told.tasks) out->add_tasks(ToProto(task));
  out->set_sha256(told.sha256);
}

void ToProto(const ServedModel& model, v1::GetModelResponse* out) {
  const ModelDescription& told = model.description;
  out->Clear();
  ToProto(model, out->mutable_model());
  for (const std::string& label : model.task_model.labels)
    out->add_labels(label);
  out->set_max_tokens(ToInt32(model.task_model.max_tokens));
  out->set_hidden_size(static_cast<int32_t>(told.hidden_size));
  out->set_layers(static_cast<int32_t>(told.layers));
  out->set_parameters(told.parameters);
  out->set_weights_format(told.weights_format);
  out->set_tokenizer_profile(told.tokenizer_profile);
  out->set_resident_bytes(static_cast<int64_t>(told.resident_bytes));
  out->set_fill_mask_decoder(told.fill_mask_decoder);
  out->set_requested_precision(told.requested_precision);
  out->set_precision_note(told.precision_note);
  out->set_label_agreement(told.agreement.label_agreement());
  out->set_max_logit_change(told.agreement.max_logit_change);
  out->set_fp32_available(told.HasFp32());
  SetDefaults(model, out);
  const model::LabelHead* head = model.task_model.label_head;
  if (head == nullptr) return;
  out->set_max_words(ToInt32(head->max_words));
  out->set_max_span_words(ToInt32(head->max_span_words));
  out->set_architecture(head->architecture);
}

}  // namespace deberta::server
