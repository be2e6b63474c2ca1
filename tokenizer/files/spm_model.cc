#include "tokenizer/files/spm_model.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenizer/files/spm_model_proto.h"
#include "tokenizer/segmentation/hf_unigram.h"
#include "tokenizer/segmentation/sentencepiece_model.h"

namespace deberta::tokenizer {
namespace {

absl::StatusOr<SentencePieceModel> ParseUnigramModel(std::string_view bytes) {
  absl::StatusOr<SentencePieceModel> model = ParseSpmModel(bytes);
  if (!model.ok()) return InFile("spm.model", model.status());
  if (model->model_type != SentencePieceModel::kUnigramModelType) {
    return absl::InvalidArgumentError(
        absl::StrCat("spm.model: trainer_spec.model_type: expected ",
                     SentencePieceModel::kUnigramModelType, " (Unigram), got ",
                     model->model_type));
  }
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

// `all_special`: user-defined pieces are special too.
absl::StatusOr<TokenizerDefinition> Define(const SentencePieceModel& model,
                                           HfUnigramOptions options,
                                           bool all_special) {
  TokenizerDefinition definition;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    const bool control = piece.type == SentencePieceModel::PieceType::kControl;
    if (!control && piece.type != SentencePieceModel::PieceType::kUserDefined)
      continue;
    AddedToken token;
    token.content = piece.text;
    token.special = control || all_special;
    definition.added_tokens.push_back({std::move(token), std::nullopt});
  }
  auto unigram = HfUnigram::Create(std::move(options));
  if (!unigram.ok()) return InFile("spm.model", unigram.status());
  definition.vocabulary_entries = (*unigram)->vocab_size();
  definition.segmenter = *std::move(unigram);
  return definition;
}

}  // namespace

absl::StatusOr<TokenizerDefinition> ReadSpm(std::string_view spm_model,
                                            const SpmOptions& options) {
  absl::StatusOr<SentencePieceModel> model = ParseUnigramModel(spm_model);
  if (!model.ok()) return model.status();
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

  HfUnigramOptions unigram_options;
  unigram_options.unk_id = model->unk_id;
  unigram_options.normalizer = *std::move(normalizer);
  unigram_options.split_by_punct = options.split_by_punct;
  unigram_options.pieces = Pieces(*model);
  return Define(*model, std::move(unigram_options), /*all_special=*/false);
}

absl::StatusOr<TokenizerDefinition> ReadSpmAsHf5(std::string_view spm_model,
                                                 Hf5Settings settings) {
  const absl::StatusOr<SentencePieceModel> model = ParseUnigramModel(spm_model);
  if (!model.ok()) return model.status();
  settings.unk_id = model->unk_id;
  return Define(*model, MakeHf5Unigram(Pieces(*model), settings),
                /*all_special=*/true);
}

absl::StatusOr<TokenizerDefinition> ReadSpmAsLibrary(
    std::string_view spm_model, const SpmOptions& options) {
  absl::StatusOr<SentencePieceModel> model = ParseSpmModel(spm_model);
  if (!model.ok()) return InFile("spm.model", model.status());
  auto segmenter = SentencePieceUnigram::Create(*std::move(model), options);
  if (!segmenter.ok()) return InFile("spm.model", segmenter.status());
  TokenizerDefinition definition;
  definition.vocabulary_entries = (*segmenter)->vocab_size();
  definition.segmenter = *std::move(segmenter);
  return definition;
}

}  // namespace deberta::tokenizer
