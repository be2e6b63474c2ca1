// The methods of transformers' tokenizers (spec 5.6).

#include <algorithm>

#include "tokenizer/tokenizer.h"

namespace deberta::tokenizer {
namespace {

// [CLS] and [SEP] around one sequence.
constexpr size_t kEnds = 2;

}  // namespace

std::vector<int32_t> Tokenizer::BuildInputsWithSpecialTokens(
    std::span<const int32_t> a,
    std::optional<std::span<const int32_t>> b) const {
  std::vector<int32_t> ids = {options_.special_ids.cls};
  ids.insert(ids.end(), a.begin(), a.end());
  ids.push_back(options_.special_ids.sep);
  if (b.has_value()) {
    ids.insert(ids.end(), b->begin(), b->end());
    ids.push_back(options_.special_ids.sep);
  }
  return ids;
}

std::vector<int32_t> Tokenizer::CreateTokenTypeIdsFromSequences(
    std::span<const int32_t> a,
    std::optional<std::span<const int32_t>> b) const {
  std::vector<int32_t> types(a.size() + kEnds, 0);
  if (b.has_value()) types.resize(types.size() + b->size() + 1, 1);
  return types;
}

std::vector<int32_t> Tokenizer::GetSpecialTokensMask(
    std::span<const int32_t> a,
    std::optional<std::span<const int32_t>> b) const {
  std::vector<int32_t> mask(a.size() + kEnds, 0);
  mask.front() = mask.back() = 1;
  if (b.has_value()) {
    mask.resize(mask.size() + b->size(), 0);
    mask.push_back(1);
  }
  return mask;
}

std::vector<int32_t> Tokenizer::GetSpecialTokensMaskOf(
    std::span<const int32_t> ids) const {
  const std::vector<int32_t>& special = options_.all_special_ids;
  std::vector<int32_t> mask(ids.size());
  std::transform(ids.begin(), ids.end(), mask.begin(), [&](int32_t id) {
    return std::find(special.begin(), special.end(), id) != special.end();
  });
  return mask;
}

}  // namespace deberta::tokenizer
