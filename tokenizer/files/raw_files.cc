#include "tokenizer/files/raw_files.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/segmentation/byte_level_bpe.h"
#include "tokenizer/segmentation/hf_unigram.h"
#include "tokenizer/segmentation/spm_model.h"

namespace deberta::tokenizer {
namespace {

absl::Status WithName(std::string_view file, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(absl::string_view(file.data(), file.size()),
                                   ": ", status.message()));
}

absl::StatusOr<SpmModel> ParseUnigramModel(std::string_view bytes) {
  absl::StatusOr<SpmModel> model = ParseSpmModel(bytes);
  if (!model.ok()) return WithName("spm.model", model.status());
  if (model->model_type != SpmModel::kUnigramModelType) {
    return absl::InvalidArgumentError(absl::StrCat(
        "spm.model: trainer_spec.model_type: expected ",
        SpmModel::kUnigramModelType, " (Unigram), got ", model->model_type));
  }
  return model;
}

std::vector<std::pair<std::string, double>> Pieces(const SpmModel& model) {
  std::vector<std::pair<std::string, double>> pieces;
  pieces.reserve(model.pieces.size());
  for (const SpmModel::Piece& piece : model.pieces) {
    pieces.emplace_back(piece.text, double{piece.score});
  }
  return pieces;
}

// `all_special`: user-defined pieces are special too.
absl::StatusOr<TokenizerDefinition> Define(const SpmModel& model,
                                           UnigramOptions options,
                                           bool all_special) {
  TokenizerDefinition definition;
  for (const SpmModel::Piece& piece : model.pieces) {
    const bool control = piece.type == SpmModel::PieceType::kControl;
    if (!control && piece.type != SpmModel::PieceType::kUserDefined) continue;
    AddedToken token;
    token.content = piece.text;
    token.special = control || all_special;
    definition.added_tokens.push_back({std::move(token), std::nullopt});
  }
  auto unigram = Unigram::Create(std::move(options));
  if (!unigram.ok()) return WithName("spm.model", unigram.status());
  definition.vocabulary_entries = (*unigram)->vocab_size();
  definition.segmenter = *std::move(unigram);
  return definition;
}

}  // namespace

absl::StatusOr<Merges> ParseMerges(std::string_view text) {
  Merges merges;
  absl::flat_hash_set<std::string> seen;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0 ||
        space + 1 == line.size() || line.find(' ', space + 1) != line.npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("merges.txt: line ", number,
                       ": expected two tokens with a space between, got ",
                       line.size(), " bytes"));
    }
    if (!seen.emplace(line).second) continue;
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

absl::StatusOr<TokenizerDefinition> ReadVocabAndMerges(
    const JsonDocument& vocab, std::string_view merges, bool add_prefix_space) {
  absl::StatusOr<Merges> pairs = ParseMerges(merges);
  if (!pairs.ok()) return pairs.status();
  const ByteLevelBpeOptions options{.vocabulary = ReadVocabulary(vocab.root()),
                                    .merges = *std::move(pairs),
                                    .unk_token = std::nullopt,
                                    .add_prefix_space = add_prefix_space};
  if (!vocab.error().ok()) return vocab.error();
  auto bpe = ByteLevelBpe::Create(options);
  if (!bpe.ok()) return WithName("vocab.json, merges.txt", bpe.status());
  TokenizerDefinition definition;
  definition.segmenter = *std::move(bpe);
  definition.byte_level = true;
  definition.vocabulary_entries =
      static_cast<int32_t>(options.vocabulary.size());
  return definition;
}

absl::StatusOr<TokenizerDefinition> ReadSpm(std::string_view spm_model,
                                            const SpmOptions& options) {
  absl::StatusOr<SpmModel> model = ParseUnigramModel(spm_model);
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
  if (!normalizer.ok()) return WithName("spm.model", normalizer.status());

  UnigramOptions unigram_options;
  unigram_options.unk_id = model->unk_id;
  unigram_options.normalizer = *std::move(normalizer);
  unigram_options.split_by_punct = options.split_by_punct;
  unigram_options.pieces = Pieces(*model);
  return Define(*model, std::move(unigram_options), /*all_special=*/false);
}

absl::StatusOr<TokenizerDefinition> ReadSpmAsHf5(std::string_view spm_model,
                                                 Hf5Settings settings) {
  const absl::StatusOr<SpmModel> model = ParseUnigramModel(spm_model);
  if (!model.ok()) return model.status();
  settings.unk_id = model->unk_id;
  return Define(*model, MakeHf5Unigram(Pieces(*model), settings),
                /*all_special=*/true);
}

absl::StatusOr<TokenizerDefinition> ReadSpmAsLibrary(
    std::string_view spm_model, const SpmOptions& options) {
  absl::StatusOr<SpmModel> model = ParseSpmModel(spm_model);
  if (!model.ok()) return WithName("spm.model", model.status());
  auto segmenter = SentencePiece::Create(*std::move(model), options);
  if (!segmenter.ok()) return WithName("spm.model", segmenter.status());
  TokenizerDefinition definition;
  definition.vocabulary_entries = (*segmenter)->vocab_size();
  definition.segmenter = *std::move(segmenter);
  return definition;
}

}  // namespace deberta::tokenizer
