#include "server/tasks/tokenize.h"

#include <utility>

#include "server/tasks/request_checks.h"
#include "server/tasks/text_location.h"
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

TokenizeResult ToResult(const TextInput& input, const Encoding& encoding,
                        OffsetUnit unit,
                        const tokenizer::Tokenizer& tokenizer) {
  const tokenizer::TextIndex text(input.text);
  const tokenizer::TextIndex text_pair(input.text_pair);
  TokenizeResult result;
  result.ids = encoding.ids;
  result.token_type_ids = encoding.type_ids;
  result.special_tokens_mask.assign(encoding.special_tokens_mask.begin(),
                                    encoding.special_tokens_mask.end());
  for (size_t i = 0; i < encoding.size(); ++i) {
    result.tokens.emplace_back(tokenizer.IdToToken(encoding.ids[i]));
    // Template tokens are at (0, 0) in every unit.
    result.offsets.push_back(
        InUnit(encoding.sequence_ids[i] == 1 ? text_pair : text,
               encoding.offsets[i], unit));
  }
  return result;
}

}  // namespace

absl::StatusOr<std::vector<TokenizeResult>> Tokenize(
    const TokenizeRequest& request, const tokenizer::Tokenizer& tokenizer) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  std::vector<TokenizeResult> results;
  results.reserve(request.inputs.size());
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const TextInput& input = request.inputs[i];
    if (absl::Status s = CheckNoChoices(input, i); !s.ok()) return s;
    absl::StatusOr<TokenSequence> a =
        TokenizeOptionalField(tokenizer, input.text, InputField(i, "text"));
    if (!a.ok()) return a.status();
    absl::StatusOr<TokenSequence> b = TokenizeOptionalField(
        tokenizer, input.text_pair, InputField(i, "text_pair"));
    if (!b.ok()) return b.status();
    Encoding encoding =
        tokenizer.Assemble(*a, input.text_pair.empty() ? nullptr : &*b);
    if (!request.add_special_tokens) encoding = WithoutTemplate(encoding);
    results.push_back(
        ToResult(input, encoding, request.offset_unit, tokenizer));
  }
  return results;
}

}  // namespace deberta::server
