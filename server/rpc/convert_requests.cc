#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/convert.h"

namespace deberta::server {
namespace {

absl::Status UnknownValue(std::string_view field, int value) {
  return InputError(field, absl::StrCat("unknown value ", value));
}

absl::Status Convert(v1::Function value, ClassifyRequest::Function* out) {
  using Function = ClassifyRequest::Function;
  switch (value) {
    case v1::FUNCTION_UNSPECIFIED:
      *out = Function::kPipeline;
      return absl::OkStatus();
    case v1::FUNCTION_SOFTMAX:
      *out = Function::kSoftmax;
      return absl::OkStatus();
    case v1::FUNCTION_SIGMOID:
      *out = Function::kSigmoid;
      return absl::OkStatus();
    case v1::FUNCTION_NONE:
      *out = Function::kNone;
      return absl::OkStatus();
    default:
      return UnknownValue("function", value);
  }
}

absl::Status Convert(v1::LengthPolicy value, LengthPolicy* out) {
  switch (value) {
    case v1::LENGTH_POLICY_UNSPECIFIED:
    case v1::LENGTH_POLICY_REJECT:
      *out = LengthPolicy::kReject;
      return absl::OkStatus();
    case v1::LENGTH_POLICY_TRUNCATE:
      *out = LengthPolicy::kTruncate;
      return absl::OkStatus();
    case v1::LENGTH_POLICY_WINDOW:
      *out = LengthPolicy::kWindow;
      return absl::OkStatus();
    default:
      return UnknownValue("length_policy", value);
  }
}

absl::Status Convert(v1::FieldType value, bool* single) {
  switch (value) {
    case v1::FIELD_TYPE_UNSPECIFIED:
    case v1::FIELD_TYPE_LIST:
      *single = false;
      return absl::OkStatus();
    case v1::FIELD_TYPE_STR:
      *single = true;
      return absl::OkStatus();
    default:
      return UnknownValue("type", value);
  }
}

absl::Status Convert(v1::OffsetUnit value, OffsetUnit* out) {
  switch (value) {
    case v1::OFFSET_UNIT_UNSPECIFIED:
    case v1::OFFSET_UNIT_CODE_POINTS:
      *out = OffsetUnit::kCodePoints;
      return absl::OkStatus();
    case v1::OFFSET_UNIT_UTF8_BYTES:
      *out = OffsetUnit::kUtf8Bytes;
      return absl::OkStatus();
    case v1::OFFSET_UNIT_UTF16_CODE_UNITS:
      *out = OffsetUnit::kUtf16CodeUnits;
      return absl::OkStatus();
    default:
      return UnknownValue("offset_unit", value);
  }
}

absl::Status Convert(v1::Aggregation value,
                     TagTokensRequest::Aggregation* out) {
  using Aggregation = TagTokensRequest::Aggregation;
  switch (value) {
    case v1::AGGREGATION_UNSPECIFIED:
    case v1::AGGREGATION_SIMPLE:
      *out = Aggregation::kSimple;
      return absl::OkStatus();
    case v1::AGGREGATION_NONE:
      *out = Aggregation::kNone;
      return absl::OkStatus();
    case v1::AGGREGATION_FIRST:
      *out = Aggregation::kFirst;
      return absl::OkStatus();
    case v1::AGGREGATION_AVERAGE:
      *out = Aggregation::kAverage;
      return absl::OkStatus();
    case v1::AGGREGATION_MAX:
      *out = Aggregation::kMax;
      return absl::OkStatus();
    default:
      return UnknownValue("aggregation", value);
  }
}

absl::Status Convert(v1::Rule value, AnswerQuestionRequest::Rule* out) {
  using Rule = AnswerQuestionRequest::Rule;
  switch (value) {
    case v1::RULE_UNSPECIFIED:
    case v1::RULE_PIPELINE:
      *out = Rule::kPipeline;
      return absl::OkStatus();
    case v1::RULE_SQUAD_V2:
      *out = Rule::kSquadV2;
      return absl::OkStatus();
    default:
      return UnknownValue("rule", value);
  }
}

absl::Status Convert(v1::Pooling value, EncodeRequest::Pooling* out) {
  using Pooling = EncodeRequest::Pooling;
  switch (value) {
    case v1::POOLING_UNSPECIFIED:
      *out = Pooling::kModel;
      return absl::OkStatus();
    case v1::POOLING_CLS:
      *out = Pooling::kCls;
      return absl::OkStatus();
    case v1::POOLING_MEAN:
      *out = Pooling::kMean;
      return absl::OkStatus();
    case v1::POOLING_NONE:
      *out = Pooling::kNone;
      return absl::OkStatus();
    default:
      return UnknownValue("pooling", value);
  }
}

absl::Status Convert(v1::Overlap value, OverlapRule* out) {
  switch (value) {
    case v1::OVERLAP_UNSPECIFIED:
    case v1::OVERLAP_FLAT:
      out->nested = false;
      return absl::OkStatus();
    case v1::OVERLAP_NESTED:
      out->nested = true;
      return absl::OkStatus();
    default:
      return UnknownValue("overlap", value);
  }
}

// What moves out of `strings`.
std::vector<std::string> Moved(
    google::protobuf::RepeatedPtrField<std::string>* strings) {
  return {std::make_move_iterator(strings->begin()),
          std::make_move_iterator(strings->end())};
}

std::vector<TextInput> Moved(
    google::protobuf::RepeatedPtrField<v1::TextInput>* inputs) {
  std::vector<TextInput> out;
  out.reserve(static_cast<size_t>(inputs->size()));
  for (v1::TextInput& input : *inputs)
    out.push_back({.text = std::move(*input.mutable_text()),
                   .text_pair = std::move(*input.mutable_text_pair()),
                   .choices = Moved(input.mutable_choices())});
  return out;
}

}  // namespace

absl::StatusOr<ClassifyRequest> FromProto(v1::ClassifyRequest proto) {
  ClassifyRequest request;
  if (absl::Status s = Convert(proto.function(), &request.function); !s.ok())
    return s;
  if (absl::Status s = Convert(proto.length_policy(), &request.length_policy);
      !s.ok())
    return s;
  request.inputs = Moved(proto.mutable_inputs());
  request.top_k = proto.top_k();
  request.return_logits = proto.return_logits();
  request.stride = proto.stride();
  return request;
}

absl::StatusOr<TagTokensRequest> FromProto(v1::TagTokensRequest proto) {
  TagTokensRequest request;
  if (absl::Status s = Convert(proto.aggregation(), &request.aggregation);
      !s.ok())
    return s;
  if (absl::Status s = Convert(proto.offset_unit(), &request.offset_unit);
      !s.ok())
    return s;
  if (absl::Status s = Convert(proto.length_policy(), &request.length_policy);
      !s.ok())
    return s;
  request.inputs = Moved(proto.mutable_inputs());
  request.ignore_labels = Moved(proto.mutable_ignore_labels());
  request.stride = proto.stride();
  request.keep_ignored = proto.keep_ignored();
  request.raw_offsets = proto.raw_offsets();
  return request;
}

absl::StatusOr<AnswerQuestionRequest> FromProto(
    v1::AnswerQuestionRequest proto) {
  AnswerQuestionRequest request;
  if (absl::Status s = Convert(proto.offset_unit(), &request.offset_unit);
      !s.ok())
    return s;
  if (absl::Status s = Convert(proto.rule(), &request.rule); !s.ok()) return s;
  if (!std::isfinite(proto.null_threshold()))
    return InputError("null_threshold", "must be finite");
  request.inputs.reserve(static_cast<size_t>(proto.inputs_size()));
  for (v1::QuestionInput& input : *proto.mutable_inputs()) {
    request.inputs.push_back({.question = std::move(*input.mutable_question()),
                              .context = std::move(*input.mutable_context())});
  }
  request.top_k = proto.top_k();
  request.max_answer_tokens = proto.max_answer_tokens();
  request.handle_impossible_answer = proto.handle_impossible_answer();
  request.stride = proto.stride();
  request.max_window_tokens = proto.max_window_tokens();
  if (proto.has_align_to_words())
    request.align_to_words = proto.align_to_words();
  request.null_threshold = proto.null_threshold();
  request.raw_offsets = proto.raw_offsets();
  return request;
}

absl::StatusOr<FillMaskRequest> FromProto(v1::FillMaskRequest proto) {
  FillMaskRequest request;
  if (absl::Status s = Convert(proto.length_policy(), &request.length_policy);
      !s.ok())
    return s;
  request.inputs = Moved(proto.mutable_inputs());
  request.top_k = proto.top_k();
  request.targets = Moved(proto.mutable_targets());
  return request;
}

absl::StatusOr<ZeroShotRequest> FromProto(v1::ClassifyZeroShotRequest proto) {
  ZeroShotRequest request;
  if (absl::Status s = Convert(proto.length_policy(), &request.length_policy);
      !s.ok())
    return s;
  request.inputs = Moved(proto.mutable_inputs());
  request.labels = Moved(proto.mutable_labels());
  request.hypothesis_template = std::move(*proto.mutable_hypothesis_template());
  request.prompt = std::move(*proto.mutable_prompt());
  request.multi_label = proto.multi_label();
  request.stride = proto.stride();
  return request;
}

absl::StatusOr<ExtractEntitiesRequest> FromProto(
    v1::ExtractEntitiesRequest proto) {
  ExtractEntitiesRequest request;
  if (absl::Status s = Convert(proto.overlap(), &request.overlap); !s.ok())
    return s;
  if (absl::Status s = Convert(proto.offset_unit(), &request.offset_unit);
      !s.ok())
    return s;
  if (absl::Status s = Convert(proto.length_policy(), &request.length_policy);
      !s.ok())
    return s;
  request.inputs = Moved(proto.mutable_inputs());
  request.labels.reserve(static_cast<size_t>(proto.labels_size()));
  for (v1::EntityLabel& label : *proto.mutable_labels()) {
    request.labels.push_back(
        {.name = std::move(*label.mutable_name()),
         .description = std::move(*label.mutable_description()),
         .threshold = label.has_threshold() ? std::optional(label.threshold())
                                            : std::nullopt});
  }
  if (proto.has_threshold()) request.threshold = proto.threshold();
  request.overlap.multi_label = proto.multi_label();
  request.stride = proto.stride();
  request.top_k = proto.top_k();
  return request;
}

absl::StatusOr<ExtractStructuredRequest> FromProto(
    v1::ExtractStructuredRequest proto) {
  ExtractStructuredRequest request;
  absl::Status status = Convert(proto.offset_unit(), &request.offset_unit);
  status.Update(Convert(proto.length_policy(), &request.length_policy));
  const auto threshold = [](const auto& of) {
    return of.has_threshold() ? std::optional(of.threshold()) : std::nullopt;
  };
  for (v1::StructureSchema& of : *proto.mutable_structures()) {
    StructureSchema& structure = request.structures.emplace_back();
    structure.name = std::move(*of.mutable_name());
    for (v1::StructureField& field : *of.mutable_fields()) {
      structure.fields.push_back(
          {.name = std::move(*field.mutable_name()),
           .choices = Moved(field.mutable_choices()),
           .description = std::move(*field.mutable_description()),
           .threshold = threshold(field)});
      status.Update(Convert(field.type(), &structure.fields.back().single));
    }
  }
  if (!status.ok()) return status;
  for (v1::RelationSchema& of : *proto.mutable_relations()) {
    request.relations.push_back(
        {.name = std::move(*of.mutable_name()),
         .description = std::move(*of.mutable_description()),
         .threshold = threshold(of)});
  }
  request.inputs = Moved(proto.mutable_inputs());
  if (proto.has_threshold()) request.threshold = proto.threshold();
  request.stride = proto.stride();
  return request;
}

absl::StatusOr<RerankRequest> FromProto(v1::RerankRequest proto) {
  RerankRequest request;
  if (absl::Status s = Convert(proto.length_policy(), &request.length_policy);
      !s.ok())
    return s;
  request.query = std::move(*proto.mutable_query());
  request.documents = Moved(proto.mutable_documents());
  request.top_k = proto.top_k();
  request.raw_scores = proto.raw_scores();
  request.stride = proto.stride();
  return request;
}

absl::StatusOr<EncodeRequest> FromProto(v1::EncodeRequest proto) {
  EncodeRequest request;
  if (absl::Status s = Convert(proto.pooling(), &request.pooling); !s.ok())
    return s;
  if (absl::Status s = Convert(proto.length_policy(), &request.length_policy);
      !s.ok())
    return s;
  request.inputs = Moved(proto.mutable_inputs());
  request.layers.assign(proto.layers().begin(), proto.layers().end());
  request.normalize = proto.normalize();
  return request;
}

absl::StatusOr<TokenizeRequest> FromProto(v1::TokenizeRequest proto) {
  TokenizeRequest request;
  if (absl::Status s = Convert(proto.offset_unit(), &request.offset_unit);
      !s.ok())
    return s;
  request.inputs = Moved(proto.mutable_inputs());
  if (proto.has_add_special_tokens())
    request.add_special_tokens = proto.add_special_tokens();
  return request;
}

}  // namespace deberta::server
