#include "server/tasks/tokenize.h"

#include <utility>

#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/text_location.h"
#include "tokenizer/text/text_index.h"

namespace deberta::server {
namespace {

using tokenizer::Encoding;
using tokenizer::TokenSequence;

// The encoding without its template tokens.
Encoding WithoutTemplate(const Encoding& encoding) {
  Encoding bare;
  for (size_t i = 0; i < encoding.size(); ++i) {
    if (encoding.special_tokens_mask[i] != 0) continue;
    bare.ids.push_back(encoding.ids[i]);
    bare.type_ids.push_back(encoding.type_ids[i]);
    bare.special_tokens_mask.push_back(0);
    bare.offsets.push_back(encoding.offsets[i]);
    bare.sequence_ids.push_back(encoding.sequence_ids[i]);
    bare.words.push_back(encoding.words[i]);
  }
  return bare;
}

}  // namespace

absl::Status CheckRequest(const TokenizeRequest& request) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    if (absl::Status s = CheckNoChoices(request.inputs[i], i); !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

size_t TextBytes(const TextInput& input) {
  return input.text.size() + input.text_pair.size();
}

absl::StatusOr<TokenizedInput> TokenizedInput::Create(
    const TokenizeRequest& request, size_t index,
    const tokenizer::Tokenizer& tokenizer) {
  const TextInput& input = request.inputs[index];
  absl::StatusOr<TokenSequence> a =
      TokenizeOptionalField(tokenizer, input.text, InputField(index, "text"));
  if (!a.ok()) return a.status();
  absl::StatusOr<TokenSequence> b = TokenizeOptionalField(
      tokenizer, input.text_pair, InputField(index, "text_pair"));
  if (!b.ok()) return b.status();
  Encoding encoding =
      tokenizer.Assemble(*a, input.text_pair.empty() ? nullptr : &*b);
  if (!request.add_special_tokens) encoding = WithoutTemplate(encoding);
  return TokenizedInput(input, request.offset_unit, std::move(encoding),
                        tokenizer);
}

TokenizeResult TokenizedInput::Part(size_t begin, size_t end) const {
  TokenizeResult result;
  for (size_t i = begin; i < end; ++i) {
    result.ids.push_back(encoding_.ids[i]);
    result.tokens.emplace_back(tokenizer_->IdToToken(encoding_.ids[i]));
    result.token_type_ids.push_back(encoding_.type_ids[i]);
    result.special_tokens_mask.push_back(encoding_.special_tokens_mask[i]);
    // Template tokens are at (0, 0) in every unit.
    result.offsets.push_back(
        InUnit(encoding_.sequence_ids[i] == 1 ? text_pair_ : text_,
               encoding_.offsets[i], unit_));
  }
  return result;
}

}  // namespace deberta::server
