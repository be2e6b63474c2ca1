// Calls that the catalog or the tokenizer answers, without the model.

#ifndef SERVER_RPC_MODEL_CALLS_H_
#define SERVER_RPC_MODEL_CALLS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/rpc/call.h"
#include "server/tasks/tokenize.h"

namespace deberta::server {

class TokenizeCall final : public Call {
 public:
  using Call::Call;

 private:
  std::optional<absl::Status> Run() override;
  std::optional<size_t> FindModel() override;

  absl::Status Tokenize();
  // Writes the input's result.
  absl::Status Write(const TokenizedInput& input);
};

class ListModelsCall final : public Call {
 public:
  using Call::Call;

 private:
  std::optional<absl::Status> Run() override;
  std::optional<size_t> FindModel() override { return std::nullopt; }
};

class GetModelCall final : public Call {
 public:
  using Call::Call;

 private:
  std::optional<absl::Status> Run() override;
  std::optional<size_t> FindModel() override;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_MODEL_CALLS_H_
