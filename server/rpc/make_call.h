// The service's methods, each as the call that does it.

#ifndef SERVER_RPC_MAKE_CALL_H_
#define SERVER_RPC_MAKE_CALL_H_

#include <memory>

#include "server/rpc/call.h"

namespace deberta::server {

enum class Method {
  kClassify,
  kTagTokens,
  kAnswerQuestion,
  kFillMask,
  kClassifyZeroShot,
  kExtractEntities,
  kExtractStructured,
  kRerank,
  kEncode,
  kTokenize,
  kListModels,
  kGetModel,
};

// Not started yet.
std::unique_ptr<Call> MakeCall(Method method, const Call::Source& source,
                               const CallEnvironment* environment);

}  // namespace deberta::server

#endif  // SERVER_RPC_MAKE_CALL_H_
