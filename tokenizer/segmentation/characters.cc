#include "tokenizer/segmentation/characters.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/normalization/aligned_text.h"
#include "tokenizer/normalization/normalization_form.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

absl::StatusOr<std::unique_ptr<Characters>> Characters::Create(
    std::span<const std::pair<std::string, int32_t>> vocabulary,
    std::string_view unk_token) {
  absl::StatusOr<Vocabulary> tokens = Vocabulary::Create(vocabulary);
  if (!tokens.ok()) return tokens.status();
  const std::optional<int32_t> unk_id = tokens->TokenToId(unk_token);
  if (!unk_id.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("unk_token: expected a token of the vocabulary, got \"",
                     Excerpt(unk_token), "\""));
  }
  return std::unique_ptr<Characters>(
      new Characters(*std::move(tokens), *unk_id));
}

void Characters::AppendWord(std::string_view word, std::span<const Span> spans,
                            int32_t word_index, TokenSequence* out) const {
  AlignedText characters;
  characters.reserve(word.size());
  for (size_t i = 0; i < word.size();) {
    const Span span = spans[i];
    characters.push_back({DecodeUtf8(word, &i), span});
  }
  ApplyForm(NormalizationForm::kNfkc, &characters, UnicodeData::kNewest);
  std::string token;
  for (const AlignedChar& character : characters) {
    token.clear();
    AppendUtf8(character.value, &token);
    AppendToken(vocabulary_.TokenToId(token).value_or(unk_id_), character.span,
                word_index, out);
  }
}

}  // namespace deberta::tokenizer
