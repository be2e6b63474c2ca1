// The tokenizer alone: no batch, no model limit.

#ifndef SERVER_TASKS_TOKENIZE_H_
#define SERVER_TASKS_TOKENIZE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/task.h"
#include "tokenizer/encoding/encoding.h"

namespace deberta::server {

struct TokenizeRequest {
  std::vector<TextInput> inputs = {};  // texts may be empty
  bool add_special_tokens = true;
  OffsetUnit offset_unit = OffsetUnit::kCodePoints;
};

struct TokenizeResult {
  std::vector<int32_t> ids = {};
  std::vector<std::string> tokens = {};  // vocabulary strings
  std::vector<int32_t> token_type_ids = {};
  std::vector<int32_t> special_tokens_mask = {};
  // Raw offsets of the reference, in the request's unit, each in its own text.
  std::vector<tokenizer::Span> offsets = {};
};

absl::StatusOr<std::vector<TokenizeResult>> Tokenize(
    const TokenizeRequest& request, const tokenizer::Tokenizer& tokenizer);

}  // namespace deberta::server

#endif  // SERVER_TASKS_TOKENIZE_H_
