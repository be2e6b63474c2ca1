// Calls that the catalog or the tokenizer answers, without the model.

#ifndef SERVER_RPC_MODEL_CALLS_H_
#define SERVER_RPC_MODEL_CALLS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "deberta/v1/deberta.pb.h"
#include "server/rpc/call.h"
#include "server/tasks/tokenize.h"

namespace deberta::server {

class TokenizeCall final : public Call {
 public:
  using Call::Call;

 private:
  absl::Status Identify() override { return IdentifyNamed(&request_); }
  std::optional<absl::Status> Run() override { return Tokenize(); }

  absl::Status Tokenize();
  // Writes the input's result.
  absl::Status Write(const TokenizedInput& input);

  v1::TokenizeRequest request_;
};

class ListModelsCall final : public Call {
 public:
  using Call::Call;

 private:
  absl::Status Identify() override {
    v1::ListModelsRequest request;
    return Parse(&request);
  }
  std::optional<absl::Status> Run() override;
};

class GetModelCall final : public Call {
 public:
  using Call::Call;

 private:
  absl::Status Identify() override { return IdentifyNamed(&request_); }
  std::optional<absl::Status> Run() override;

  v1::GetModelRequest request_;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_MODEL_CALLS_H_
