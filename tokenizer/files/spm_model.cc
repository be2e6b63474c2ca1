#include "tokenizer/files/spm_model.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenizer/files/spm_model_proto.h"
#include "tokenizer/pre_tokenization/pre_tokenizer.h"
#include "tokenizer/segmentation/bpe.h"
#include "tokenizer/segmentation/decoder.h"
#include "tokenizer/segmentation/hf_unigram.h"
#include "tokenizer/segmentation/piece_splits.h"
#include "tokenizer/segmentation/pipeline.h"
#include "tokenizer/segmentation/sentencepiece_model.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

absl::StatusOr<SentencePieceModel> Parse(std::string_view bytes) {
  absl::StatusOr<SentencePieceModel> model = ParseSpmModel(bytes);
  if (!model.ok()) return InFile("spm.model", model.status());
  return model;
}

std::vector<std::pair<std::string, double>> Pieces(
    const SentencePieceModel& model) {
  std::vector<std::pair<std::string, double>> pieces;
  pieces.reserve(model.pieces.size());
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    pieces.emplace_back(piece.text, double{piece.score});
  }
  return pieces;
}

// Control pieces are special, user-defined ones are not.
std::vector<DeclaredToken> AddedTokens(const SentencePieceModel& model) {
  std::vector<DeclaredToken> tokens;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    const bool control = piece.type == SentencePieceModel::PieceType::kControl;
    if (!control && piece.type != SentencePieceModel::PieceType::kUserDefined)
      continue;
    AddedToken token;
    token.content = piece.text;
    token.special = control;
    tokens.push_back({std::move(token), std::nullopt});
  }
  return tokens;
}

absl::StatusOr<TokenizerDefinition> DefineUnigram(HfUnigramOptions options) {
  auto unigram = HfUnigram::Create(std::move(options));
  if (!unigram.ok()) return InFile("spm.model", unigram.status());
  TokenizerDefinition definition;
  definition.vocabulary_entries = (*unigram)->vocab_size();
  definition.segmenter = *std::move(unigram);
  return definition;
}

// In the order of transformers' generate_merges(): by score, then by the
// lengths of the parts in characters, all from high to low.
absl::StatusOr<std::vector<BpeOptions::Merge>> Merges(
    const SentencePieceModel& model) {
  struct Ranked {
    float score;
    uint32_t left_characters;
    uint32_t right_characters;
    BpeOptions::Merge merge;
  };
  std::vector<std::string_view> texts;
  for (const auto& piece : model.pieces) texts.push_back(piece.text);
  PieceSplits splits(texts);
  std::vector<Ranked> ranked;
  for (size_t i = 0; i < texts.size(); ++i) {
    const size_t characters = CountCodePoints(texts[i]);
    for (const auto& split : splits.Of(texts[i])) {
      const size_t left = CountCodePoints(texts[i].substr(0, split.left_bytes));
      ranked.push_back({model.pieces[i].score,
                        static_cast<uint32_t>(left),
                        static_cast<uint32_t>(characters - left),
                        {split.left, split.right, static_cast<int32_t>(i)}});
    }
    if (ranked.size() <= PieceSplits::kMaxMerges) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("pieces: expected at most ", PieceSplits::kMaxMerges,
                     " ways to merge two to one"));
  }
  std::stable_sort(
      ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
        return std::tie(a.score, a.left_characters, a.right_characters) >
               std::tie(b.score, b.left_characters, b.right_characters);
      });
  std::vector<BpeOptions::Merge> merges;
  merges.reserve(ranked.size());
  for (const Ranked& one : ranked) merges.push_back(one.merge);
  return merges;
}

absl::StatusOr<TokenizerDefinition> DefineBpe(const SentencePieceModel& model,
                                              Normalizer normalizer,
                                              bool split_by_punct) {
  BpeOptions options;
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    options.vocabulary.emplace_back(model.pieces[i].text,
                                    static_cast<int32_t>(i));
  }
  options.unk_token = model.unk_piece;
  options.fuse_unk = true;
  auto merges = Merges(model);
  if (!merges.ok()) return InFile("spm.model", merges.status());
  options.merges_by_id = *std::move(merges);
  auto bpe = Bpe::Create(options);
  if (!bpe.ok()) return InFile("spm.model", bpe.status());
  std::vector<PreTokenizer::Step> steps;
  if (split_by_punct) {
    steps.emplace_back(PreTokenizer::Characters{
        IsPunctuation, PreTokenizer::Behavior::kIsolated});
  }
  steps.emplace_back(Metaspace{});
  TokenizerDefinition definition;
  definition.vocabulary_entries = (*bpe)->entries();
  definition.segmenter = std::make_unique<const Pipeline>(
      std::move(normalizer), PreTokenizer(std::move(steps)), *std::move(bpe),
      Decoder({Metaspace{}}));
  return definition;
}

}  // namespace

absl::StatusOr<TokenizerDefinition> ReadSpm(std::string_view spm_model,
                                            const SpmOptions& options) {
  absl::StatusOr<SentencePieceModel> model = Parse(spm_model);
  if (!model.ok()) return model.status();
  const absl::Status known = model->CheckType();
  if (!known.ok()) return InFile("spm.model", known);
  std::vector<Normalizer::Step> steps;
  if (options.do_lower_case) steps.emplace_back(Normalizer::Lowercase{});
  steps.emplace_back(Normalizer::Strip{});
  if (!model->precompiled_charsmap.empty()) {
    steps.emplace_back(Normalizer::Precompiled{
        .charsmap = std::move(model->precompiled_charsmap)});
  }
  steps.emplace_back(
      Normalizer::Replace{.pattern = " {2,}", .regex = true, .content = " "});
  auto normalizer = Normalizer::Create(std::move(steps));
  if (!normalizer.ok()) return InFile("spm.model", normalizer.status());

  absl::StatusOr<TokenizerDefinition> definition;
  if (model->model_type == SentencePieceModel::kBpeModelType) {
    definition =
        DefineBpe(*model, *std::move(normalizer), options.split_by_punct);
  } else {
    HfUnigramOptions unigram_options;
    unigram_options.unk_id = model->unk_id;
    unigram_options.normalizer = *std::move(normalizer);
    unigram_options.split_by_punct = options.split_by_punct;
    unigram_options.pieces = Pieces(*model);
    definition = DefineUnigram(std::move(unigram_options));
  }
  if (!definition.ok()) return definition.status();
  definition->added_tokens = AddedTokens(*model);
  return definition;
}

absl::StatusOr<TokenizerDefinition> ReadSpmAsHf5(std::string_view spm_model,
                                                 Hf5Settings settings) {
  const absl::StatusOr<SentencePieceModel> model = Parse(spm_model);
  if (!model.ok()) return model.status();
  settings.unk_id = model->unk_id;
  auto definition = DefineUnigram(MakeHf5Unigram(Pieces(*model), settings));
  if (!definition.ok()) return definition.status();
  definition->added_tokens = AddedTokens(*model);
  return definition;
}

absl::StatusOr<TokenizerDefinition> ReadSpmAsLibrary(
    std::string_view spm_model, const SpmOptions& options) {
  absl::StatusOr<SentencePieceModel> model = Parse(spm_model);
  if (!model.ok()) return model.status();
  auto segmenter = SentencePieceSegmenter::Create(*std::move(model), options);
  if (!segmenter.ok()) return InFile("spm.model", segmenter.status());
  TokenizerDefinition definition;
  definition.vocabulary_entries = (*segmenter)->vocab_size();
  definition.segmenter = *std::move(segmenter);
  return definition;
}

}  // namespace deberta::tokenizer
