#include "tokenizer/segmentation/vocabulary.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/absl_view.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

absl::StatusOr<Vocabulary> Vocabulary::Create(
    std::span<const std::pair<std::string, int32_t>> tokens) {
  if (tokens.empty()) {
    return absl::InvalidArgumentError(
        "vocabulary: expected at least one token");
  }
  size_t bytes = 0;
  int32_t max_id = 0;
  for (const auto& [token, id] : tokens) {
    if (id < 0 || id >= kMaxIds) {
      return absl::InvalidArgumentError(absl::StrCat(
          "vocabulary: token \"", Excerpt(token),
          "\": expected an id from 0 to ", kMaxIds - 1, ", got ", id));
    }
    if (FindInvalidUtf8(token)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "vocabulary: token with id ", id, ": expected valid UTF-8"));
    }
    bytes += token.size();
    max_id = std::max(max_id, id);
  }
  Vocabulary vocabulary;
  // Reserved, so that the views into it stay valid; never nothing, as a view
  // without an address is an id without a token.
  vocabulary.text_.reserve(bytes + 1);
  vocabulary.tokens_.resize(static_cast<size_t>(max_id) + 1);
  vocabulary.ids_.reserve(tokens.size());
  for (const auto& [token, id] : tokens) {
    const char* start = vocabulary.text_.data() + vocabulary.text_.size();
    vocabulary.text_.insert(vocabulary.text_.end(), token.begin(), token.end());
    const std::string_view kept(start, token.size());
    std::string_view& slot = vocabulary.tokens_[static_cast<size_t>(id)];
    if (slot.data() != nullptr ||
        !vocabulary.ids_.emplace(ToAbsl(kept), id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("vocabulary: token \"", Excerpt(token), "\" with id ",
                       id, ": expected each token and each id only once"));
    }
    slot = kept;
  }
  return vocabulary;
}

std::optional<int32_t> Vocabulary::TokenToId(std::string_view token) const {
  const auto found = ids_.find(ToAbsl(token));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

std::string_view Vocabulary::IdToToken(int32_t id) const {
  const auto index = static_cast<size_t>(id);
  return id >= 0 && index < tokens_.size() ? tokens_[index]
                                           : std::string_view();
}

size_t Vocabulary::resident_bytes() const {
  return text_.capacity() + tokens_.capacity() * sizeof(tokens_[0]) +
         ids_.capacity() * (sizeof(*ids_.begin()) + 1);
}

}  // namespace deberta::tokenizer
