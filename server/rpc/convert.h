// Proto messages <-> the tasks' plain values. Pure functions.
//
// FromProto() refuses enum values that this version does not know, with an
// InputError; all other checks are the tasks'. It takes the texts out of what
// it is given. ToProto() overwrites `out`.

#ifndef SERVER_RPC_CONVERT_H_
#define SERVER_RPC_CONVERT_H_

#include "absl/status/statusor.h"
#include "deberta/v1/deberta.pb.h"
#include "server/models/served_model.h"
#include "server/tasks/answer_question.h"
#include "server/tasks/classify.h"
#include "server/tasks/encode.h"
#include "server/tasks/extract_entities.h"
#include "server/tasks/extract_structured.h"
#include "server/tasks/fill_mask.h"
#include "server/tasks/rerank.h"
#include "server/tasks/tag_tokens.h"
#include "server/tasks/tokenize.h"
#include "server/tasks/zero_shot.h"

namespace deberta::server {

absl::StatusOr<ClassifyRequest> FromProto(v1::ClassifyRequest proto);
absl::StatusOr<TagTokensRequest> FromProto(v1::TagTokensRequest proto);
absl::StatusOr<AnswerQuestionRequest> FromProto(
    v1::AnswerQuestionRequest proto);
absl::StatusOr<FillMaskRequest> FromProto(v1::FillMaskRequest proto);
absl::StatusOr<ZeroShotRequest> FromProto(v1::ClassifyZeroShotRequest proto);
absl::StatusOr<ExtractEntitiesRequest> FromProto(
    v1::ExtractEntitiesRequest proto);
absl::StatusOr<ExtractStructuredRequest> FromProto(
    v1::ExtractStructuredRequest proto);
absl::StatusOr<RerankRequest> FromProto(v1::RerankRequest proto);
absl::StatusOr<EncodeRequest> FromProto(v1::EncodeRequest proto);
absl::StatusOr<TokenizeRequest> FromProto(v1::TokenizeRequest proto);

void ToProto(const ClassifyResult& result, v1::ClassifyResult* out);
void ToProto(const TagTokensResult& result, v1::TagTokensResult* out);
void ToProto(const AnswerQuestionResult& result, v1::AnswerQuestionResult* out);
void ToProto(const FillMaskResult& result, v1::FillMaskResult* out);
void ToProto(const ZeroShotResult& result, v1::ClassifyZeroShotResult* out);
void ToProto(const ExtractEntitiesResult& result,
             v1::ExtractEntitiesResult* out);
void ToProto(const ExtractStructuredResult& result,
             v1::ExtractStructuredResult* out);
void ToProto(const RerankResult& result, v1::RerankResult* out);
void ToProto(const EncodeResult& result, v1::EncodeResult* out);
void ToProto(const TokenizeResult& result, v1::TokenizeResult* out);
void ToProto(const ServedModel& model, v1::ServedModel* out);
void ToProto(const ServedModel& model, v1::GetModelResponse* out);

}  // namespace deberta::server

#endif  // SERVER_RPC_CONVERT_H_
