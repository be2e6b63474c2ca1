// The tokenizer alone: no batch, no model limit.

#ifndef SERVER_TASKS_TOKENIZE_H_
#define SERVER_TASKS_TOKENIZE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/text/text_index.h"
#include "tokenizer/tokenizer.h"

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

// InputErrors about the list and about choices, which no input may have.
absl::Status CheckRequest(const TokenizeRequest& request);

// Bytes of text that the input gives the tokenizer.
size_t TextBytes(const TextInput& input);

// The tokens of one input, shown in parts: of a long text, a whole result would
// take many times its bytes.
class TokenizedInput {
 public:
  // An InputError about a text of the request's input `index`. The request and
  // the tokenizer outlive this.
  static absl::StatusOr<TokenizedInput> Create(
      const TokenizeRequest& request, size_t index,
      const tokenizer::Tokenizer& tokenizer);

  // Tokens.
  size_t size() const { return encoding_.size(); }
  // Of the tokens [begin, end). REQUIRES: begin <= end <= size().
  TokenizeResult Part(size_t begin, size_t end) const;

 private:
  TokenizedInput(const TextInput& input, OffsetUnit unit,
                 tokenizer::Encoding encoding,
                 const tokenizer::Tokenizer& tokenizer)
      : text_(input.text),
        text_pair_(input.text_pair),
        unit_(unit),
        encoding_(std::move(encoding)),
        tokenizer_(&tokenizer) {}

  tokenizer::TextIndex text_;
  tokenizer::TextIndex text_pair_;
  OffsetUnit unit_;
  tokenizer::Encoding encoding_;
  const tokenizer::Tokenizer* tokenizer_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_TOKENIZE_H_
