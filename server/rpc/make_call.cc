#include "server/rpc/make_call.h"

#include "server/rpc/model_calls.h"
#include "server/rpc/task_call.h"
#include "server/tasks/answer_question.h"
#include "server/tasks/classify.h"
#include "server/tasks/encode.h"
#include "server/tasks/extract_entities.h"
#include "server/tasks/extract_structured.h"
#include "server/tasks/fill_mask.h"
#include "server/tasks/rerank.h"
#include "server/tasks/tag_tokens.h"
#include "server/tasks/zero_shot.h"

namespace deberta::server {

std::unique_ptr<Call> MakeCall(Method method, const Call::Source& source,
                               const CallEnvironment* environment) {
  switch (method) {
    case Method::kClassify:
      return std::make_unique<
          TaskCall<TaskKind::kClassify, ClassifyTask, v1::ClassifyRequest,
                   v1::ClassifyResponse>>(source, environment);
    case Method::kTagTokens:
      return std::make_unique<
          TaskCall<TaskKind::kTagTokens, TagTokensTask, v1::TagTokensRequest,
                   v1::TagTokensResponse>>(source, environment);
    case Method::kAnswerQuestion:
      return std::make_unique<
          TaskCall<TaskKind::kAnswerQuestion, AnswerQuestionTask,
                   v1::AnswerQuestionRequest, v1::AnswerQuestionResponse>>(
          source, environment);
    case Method::kFillMask:
      return std::make_unique<
          TaskCall<TaskKind::kFillMask, FillMaskTask, v1::FillMaskRequest,
                   v1::FillMaskResponse>>(source, environment);
    case Method::kClassifyZeroShot:
      return std::make_unique<
          TaskCall<TaskKind::kZeroShot, ZeroShotTask,
                   v1::ClassifyZeroShotRequest, v1::ClassifyZeroShotResponse>>(
          source, environment);
    case Method::kExtractEntities:
      return std::make_unique<
          TaskCall<TaskKind::kExtractEntities, ExtractEntitiesTask,
                   v1::ExtractEntitiesRequest, v1::ExtractEntitiesResponse>>(
          source, environment);
    case Method::kExtractStructured:
      return std::make_unique<TaskCall<
          TaskKind::kExtractStructured, ExtractStructuredTask,
          v1::ExtractStructuredRequest, v1::ExtractStructuredResponse>>(
          source, environment);
    case Method::kRerank:
      return std::make_unique<TaskCall<TaskKind::kRerank, RerankTask,
                                       v1::RerankRequest, v1::RerankResponse>>(
          source, environment);
    case Method::kEncode:
      return std::make_unique<TaskCall<TaskKind::kEncode, EncodeTask,
                                       v1::EncodeRequest, v1::EncodeResponse>>(
          source, environment);
    case Method::kTokenize:
      return std::make_unique<TokenizeCall>(kTokenizeMethod, source,
                                            environment);
    case Method::kListModels:
      return std::make_unique<ListModelsCall>(kListModelsMethod, source,
                                              environment);
    case Method::kGetModel:
      return std::make_unique<GetModelCall>(kGetModelMethod, source,
                                            environment);
  }
  return nullptr;
}

}  // namespace deberta::server
