#include "tokenizer/files/bert_tokenizer.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/normalization/normalizer.h"
#include "tokenizer/pre_tokenization/pre_tokenizer.h"
#include "tokenizer/segmentation/characters.h"
#include "tokenizer/segmentation/decoder.h"
#include "tokenizer/segmentation/pipeline.h"
#include "tokenizer/segmentation/word_piece.h"
#include "tokenizer/text/unicode.h"
#include "tokenizer/text/words.h"

namespace deberta::tokenizer {
namespace {

PreTokenizer BertPreTokenizer() {
  using Behavior = PreTokenizer::Behavior;
  return PreTokenizer(
      {PreTokenizer::Characters{IsWhiteSpace, Behavior::kRemoved},
       PreTokenizer::Characters{IsPunctuation, Behavior::kIsolated}});
}

std::string_view WithoutTrailingSpace(std::string_view line) {
  while (!line.empty()) {
    size_t end = line.size();
    if (!IsWhiteSpace(DecodeUtf8Before(line, &end))) break;
    line = line.substr(0, end);
  }
  return line;
}

// "\n", "\r\n" and, in 4.57, "\r" end a line.
std::string_view TakeLine(std::string_view* text, Profile profile) {
  const size_t end =
      text->find_first_of(profile == Profile::kHf5 ? "\n" : "\r\n");
  const std::string_view line = text->substr(0, end);
  if (end == std::string_view::npos) {
    *text = {};
    return line;
  }
  const bool two = text->substr(end).starts_with("\r\n");
  text->remove_prefix(end + (two ? 2 : 1));
  return line;
}

using TokenIds = std::vector<std::pair<std::string, int32_t>>;

absl::StatusOr<TokenIds> ReadTokens(std::string_view vocab, Profile profile) {
  if (const auto invalid = FindInvalidUtf8(vocab)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "vocab.txt: expected UTF-8, got an invalid byte at offset ", *invalid));
  }
  absl::flat_hash_map<std::string, int32_t> ids;
  for (int32_t id = 0; !vocab.empty(); ++id) {
    std::string_view line = TakeLine(&vocab, profile);
    if (profile == Profile::kHf5) line = WithoutTrailingSpace(line);
    ids[std::string(line)] = id;
  }
  return TokenIds(ids.begin(), ids.end());
}

PreTokenizer JapanesePreTokenizer(const BertJapaneseSettings& settings) {
  using Behavior = PreTokenizer::Behavior;
  std::vector<PreTokenizer::Step> steps;
  if (settings.cuts_words || !settings.characters) {
    steps.emplace_back(
        PreTokenizer::Characters{IsPythonSpace, Behavior::kRemoved});
  }
  if (settings.cuts_words) {
    steps.emplace_back(
        PreTokenizer::Characters{IsNewestPunctuation, Behavior::kIsolated});
  }
  return PreTokenizer(std::move(steps));
}

absl::StatusOr<std::unique_ptr<const WordModel>> JapaneseModel(
    TokenIds vocabulary, const std::string& unk_token,
    const BertJapaneseSettings& settings) {
  if (settings.characters) {
    auto model = Characters::Create(vocabulary, unk_token);
    if (!model.ok()) return model.status();
    return *std::move(model);
  }
  auto model = WordPiece::Create(
      {.vocabulary = std::move(vocabulary), .unk_token = unk_token});
  if (!model.ok()) return model.status();
  return *std::move(model);
}

}  // namespace

absl::Status BuildBert(std::vector<std::pair<std::string, int32_t>> vocabulary,
                       const std::string& unk_token,
                       const BertSettings& settings,
                       TokenizerDefinition* definition) {
  auto model = WordPiece::Create(
      {.vocabulary = std::move(vocabulary), .unk_token = unk_token});
  if (!model.ok()) return model.status();
  auto normalizer =
      Normalizer::Create({settings.WithCleanText(/*clean_text=*/true)});
  if (!normalizer.ok()) return normalizer.status();
  definition->vocabulary_entries = (*model)->entries();
  definition->names_template = true;
  definition->segmenter = std::make_unique<const Pipeline>(
      *std::move(normalizer), BertPreTokenizer(), *std::move(model),
      Decoder({Decoder::WordPiece{}}));
  return absl::OkStatus();
}

absl::StatusOr<TokenizerDefinition> ReadVocabTxt(std::string_view vocab,
                                                 const std::string& unk_token,
                                                 const BertSettings& settings,
                                                 Profile profile) {
  auto vocabulary = ReadTokens(vocab, profile);
  if (!vocabulary.ok()) return vocabulary.status();
  TokenizerDefinition definition;
  const absl::Status status =
      BuildBert(*std::move(vocabulary), unk_token, settings, &definition);
  if (!status.ok()) return InFile("vocab.txt", status);
  return definition;
}

absl::StatusOr<TokenizerDefinition> ReadJapaneseVocabTxt(
    std::string_view vocab, const std::string& unk_token,
    const BertJapaneseSettings& settings) {
  auto vocabulary = ReadTokens(vocab, Profile::kHf4);
  if (!vocabulary.ok()) return vocabulary.status();
  auto model = JapaneseModel(*std::move(vocabulary), unk_token, settings);
  if (!model.ok()) return InFile("vocab.txt", model.status());
  std::vector<Normalizer::Step> steps;
  if (settings.cuts_words) steps.emplace_back(Normalizer::PythonBert{});
  auto normalizer = Normalizer::Create(std::move(steps));
  if (!normalizer.ok()) return normalizer.status();
  TokenizerDefinition definition;
  definition.vocabulary_entries = (*model)->entries();
  definition.names_template = true;
  definition.segmenter = std::make_unique<const Pipeline>(
      *std::move(normalizer), JapanesePreTokenizer(settings), *std::move(model),
      Decoder({Decoder::WordPiece{.cleanup = false}}), /*in_python=*/true);
  return definition;
}

}  // namespace deberta::tokenizer
