#include "tokenizer/special_tokens/special_token_ids.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/segmentation/segmenter.h"
#include "tokenizer/special_tokens/added_tokens.h"

namespace deberta::tokenizer {
namespace {

// Absent without a name, or a token of that name.
std::optional<int32_t> IdOf(const std::optional<std::string>& content,
                            const AddedTokens& added,
                            const Segmenter& segmenter) {
  if (!content.has_value()) return std::nullopt;
  if (const auto id = added.TokenToId(*content)) return id;
  return segmenter.TokenToId(*content);
}

// What stands before or after a text: by its name, else by its place in the
// template, else by the name that DeBERTa's own files give it.
absl::StatusOr<int32_t> EdgeId(const std::optional<std::string>& content,
                               const TemplatePiece* place,
                               const std::string& fallback,
                               const AddedTokens& added,
                               const Segmenter& segmenter) {
  if (const auto id = IdOf(content, added, segmenter)) return *id;
  if (place != nullptr && !place->ids.empty()) return place->ids.front();
  return RequireTokenId(fallback, added, segmenter);
}

}  // namespace

absl::StatusOr<SpecialTokenIds> ResolveSpecialTokenIds(
    const SpecialTokenNames& names, const Template* single,
    const AddedTokens& added, const Segmenter& segmenter) {
  const TemplatePiece* first = single == nullptr ? nullptr : &single->front();
  const TemplatePiece* last = single == nullptr ? nullptr : &single->back();
  const auto cls = EdgeId(names.cls, first, "[CLS]", added, segmenter);
  if (!cls.ok()) return cls.status();
  const auto sep = EdgeId(names.sep, last, "[SEP]", added, segmenter);
  if (!sep.ok()) return sep.status();
  return SpecialTokenIds{.cls = *cls,
                         .sep = *sep,
                         .pad = IdOf(names.pad, added, segmenter),
                         .unk = IdOf(names.unk, added, segmenter),
                         .mask = IdOf(names.mask, added, segmenter)};
}

std::vector<int32_t> AllSpecialTokenIds(const SpecialTokenNames& names,
                                        const AddedTokens& added,
                                        const Segmenter& segmenter) {
  std::vector<int32_t> ids;
  for (const auto* contents : {&names.named, &names.additional}) {
    for (const std::string& content : *contents) {
      const auto id = IdOf(content, added, segmenter);
      if (id.has_value() &&
          std::find(ids.begin(), ids.end(), *id) == ids.end()) {
        ids.push_back(*id);
      }
    }
  }
  return ids;
}

absl::StatusOr<int32_t> RequireTokenId(const std::string& content,
                                       const AddedTokens& added,
                                       const Segmenter& segmenter) {
  if (const auto id = IdOf(content, added, segmenter)) return *id;
  return absl::InvalidArgumentError(
      absl::StrCat("vocabulary: expected the token \"", content, "\""));
}

}  // namespace deberta::tokenizer
