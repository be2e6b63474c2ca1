#include "tokenizer/loader.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/encoding/post_processor.h"
#include "tokenizer/files/bert_tokenizer.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/profile_choice.h"
#include "tokenizer/files/special_token_files.h"
#include "tokenizer/files/spm_model.h"
#include "tokenizer/files/tokenizer_config.h"
#include "tokenizer/files/tokenizer_json.h"
#include "tokenizer/files/vocab_and_merges.h"
#include "tokenizer/special_tokens/added_tokens.h"
#include "tokenizer/special_tokens/slow_added_tokens.h"
#include "tokenizer/special_tokens/special_token_ids.h"
#include "tokenizer/text/excerpt.h"

namespace deberta::tokenizer {
namespace {

absl::StatusOr<JsonDocument> ParseOptional(
    const char* name, const std::optional<std::string>& bytes) {
  if (!bytes.has_value()) return JsonDocument::Empty(name);
  return JsonDocument::Parse(name, *bytes);
}

absl::StatusOr<SideFiles> ParseSideFiles(const TokenizerFiles& files) {
  auto config = ParseOptional("tokenizer_config.json", files.tokenizer_config);
  if (!config.ok()) return config.status();
  auto map = ParseOptional("special_tokens_map.json", files.special_tokens_map);
  if (!map.ok()) return map.status();
  auto added = ParseOptional("added_tokens.json", files.added_tokens);
  if (!added.ok()) return added.status();
  return SideFiles{*std::move(config), *std::move(map), *std::move(added)};
}

// tokenizer.json or vocab.json; {} for what is no JSON.
absl::StatusOr<JsonDocument> ParseModel(const TokenizerFiles& files) {
  switch (files.source) {
    case TokenizerSource::kTokenizerJson:
      return JsonDocument::Parse("tokenizer.json", files.model);
    case TokenizerSource::kVocabAndMerges:
      return JsonDocument::Parse("vocab.json", files.model);
    case TokenizerSource::kSpm:
    case TokenizerSource::kVocabTxt:
      break;
  }
  return JsonDocument::Empty("no file");
}

// `options.profile`, or that of whoever saved the directory.
absl::StatusOr<ProfileChoice> FindProfile(const TokenizerFiles& files,
                                          const LoadOptions& options,
                                          const JsonDocument& tokenizer_config,
                                          const JsonDocument& config,
                                          const JsonDocument& model) {
  if (options.profile.has_value()) return ProfileChoice{*options.profile};
  const bool json = files.source == TokenizerSource::kTokenizerJson;
  ProfileChoice choice =
      ChooseProfile(tokenizer_config, config, json ? &model : nullptr);
  for (const JsonDocument* file : {&tokenizer_config, &config, &model}) {
    if (!file->error().ok()) return file->error();
  }
  return choice;
}

// What the class that tokenizer_config.json names does with tokenizer.json.
JsonClass ClassOf(const TokenizerConfig& settings, Profile profile) {
  const bool hf5 = profile == Profile::kHf5;
  JsonClass read;
  // The generic class of version 5 leaves the file's own.
  if (!settings.generic_class) {
    read.add_prefix_space = settings.add_prefix_space;
  }
  if (settings.bert_class) {
    read.bert = &settings.bert;
    read.rebuilds_bert = hf5;
    read.unk_token = settings.unk_token;
  } else if (hf5 && !settings.generic_class) {
    read.hf5 = &settings.hf5;
  }
  return read;
}

absl::StatusOr<TokenizerDefinition> ReadDefinition(
    const TokenizerFiles& files, const JsonDocument& model,
    const TokenizerConfig& settings, Profile profile) {
  const bool hf5 = profile == Profile::kHf5;
  switch (files.source) {
    case TokenizerSource::kTokenizerJson:
      return ParseTokenizerJson(model, ClassOf(settings, profile));
    case TokenizerSource::kVocabAndMerges:
      return ReadVocabAndMerges(model, files.merges, settings.add_prefix_space);
    case TokenizerSource::kVocabTxt:
      if (settings.japanese.has_value()) {
        return ReadJapaneseVocabTxt(files.model, settings.unk_token,
                                    *settings.japanese);
      }
      return ReadVocabTxt(files.model, settings.unk_token, settings.bert,
                          profile);
    case TokenizerSource::kSpm:
      break;
  }
  if (profile == Profile::kSpm) {
    return ReadSpmAsLibrary(files.model, settings.spm);
  }
  if (hf5) return ReadSpmAsHf5(files.model, settings.hf5);
  return ReadSpm(files.model, settings.spm);
}

// Gives each token the id that the `tokenizers` library gives it: the one it
// has, or the next free one.
absl::StatusOr<std::vector<AddedToken>> AssignIds(
    const TokenizerDefinition& definition, const AddedTokenPlan& plan) {
  std::vector<DeclaredToken> declared = definition.added_tokens;
  declared.insert(declared.end(), plan.tokens.begin(), plan.tokens.end());
  std::vector<AddedToken> added;
  absl::flat_hash_map<std::string, int32_t> ids;
  int32_t next = definition.vocabulary_entries;
  for (DeclaredToken& token : declared) {
    const std::string& content = token.token.content;
    const auto [known, is_new] = ids.try_emplace(content, next);
    if (is_new) {
      known->second = definition.segmenter->TokenToId(content).value_or(next);
    }
    token.token.id = known->second;
    next = std::max(next, known->second + 1);
    if (token.declared_id.has_value() && *token.declared_id != known->second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "added token \"", Excerpt(content), "\": expected id ", known->second,
          ", which follows from the vocabulary, got ", *token.declared_id));
    }
    added.push_back(token.token);
  }
  return added;
}

// The slow tokenizers lower the case of what they look for in lower case.
void LowerContents(const Segmenter& segmenter,
                   std::vector<AddedToken>* tokens) {
  for (AddedToken& token : *tokens) {
    if (token.special || !token.normalized) continue;
    token.content = segmenter.Normalize(token.content, 0).text;
  }
}

// The template of version 5's classes. Without a cls or sep token v2's class
// takes id 0, and v1's fails.
absl::StatusOr<PostProcessor> Hf5Template(const TokenizerDefinition& definition,
                                          const AddedTokenPlan& plan,
                                          const SpecialTokenIds& ids) {
  const bool named = plan.names.cls.has_value() && plan.names.sep.has_value();
  if (!definition.byte_level) {
    return DebertaTemplate(plan.names.cls.has_value() ? ids.cls : 0,
                           plan.names.sep.has_value() ? ids.sep : 0);
  }
  if (named) return Hf5DebertaTemplate(ids.cls, ids.sep);
  return absl::InvalidArgumentError(
      "tokenizer_config.json: expected a cls_token and a sep_token, got null, "
      "with the tokenizer profile hf5");
}

// The file's own, or the one that the reference builds.
absl::StatusOr<PostProcessor> FindPostProcessor(
    const TokenizerDefinition& definition, const AddedTokenPlan& plan,
    const SpecialTokenIds& ids, const AddedTokens& added, Profile profile) {
  const Segmenter& segmenter = *definition.segmenter;
  if (!definition.post_processor.has_value()) {
    if (definition.names_template) return DebertaTemplate(ids.cls, ids.sep);
    if (profile == Profile::kHf5) {
      return Hf5Template(definition, plan, ids);
    }
    if (profile == Profile::kSpm) return DebertaTemplate(ids.cls, ids.sep);
    // 4.57's converters spell the names out.
    const auto cls = RequireTokenId("[CLS]", added, segmenter);
    if (!cls.ok()) return cls.status();
    const auto sep = RequireTokenId("[SEP]", added, segmenter);
    if (!sep.ok()) return sep.status();
    return DebertaTemplate(*cls, *sep);
  }
  for (const Template* pieces :
       {&definition.post_processor->single, &definition.post_processor->pair}) {
    for (const TemplatePiece& piece : *pieces) {
      for (const int32_t id : piece.ids) {
        if (!added.IdToToken(id).empty() || !segmenter.IdToToken(id).empty()) {
          continue;
        }
        return absl::InvalidArgumentError(
            absl::StrCat("tokenizer.json: post_processor: expected the id of a "
                         "token, got ",
                         id));
      }
    }
  }
  return *definition.post_processor;
}

// All that the files say.
struct Parts {
  ProfileChoice choice;
  TokenizerConfig settings;
  TokenizerDefinition definition;
  AddedTokenPlan plan;
};

absl::StatusOr<Parts> ReadParts(const TokenizerFiles& files,
                                const LoadOptions& options) {
  auto side_files = ParseSideFiles(files);
  if (!side_files.ok()) return side_files.status();
  auto model = ParseModel(files);
  if (!model.ok()) return model.status();
  const auto config = ParseOptional("config.json", files.config);
  if (!config.ok()) return config.status();
  auto choice = FindProfile(files, options, side_files->tokenizer_config,
                            *config, *model);
  if (!choice.ok()) return choice.status();
  const Profile profile = choice->profile;
  if (profile == Profile::kSpm && files.source != TokenizerSource::kSpm) {
    return absl::InvalidArgumentError(
        "the tokenizer profile \"spm\" needs spm.model");
  }
  auto settings = ReadTokenizerConfig(side_files->tokenizer_config, *config,
                                      files.source, profile);
  if (!settings.ok()) return settings.status();
  auto definition = ReadDefinition(files, *model, *settings, profile);
  if (!definition.ok()) return definition.status();
  auto plan = PlanAddedTokens(*side_files, files.source, profile,
                              settings->bert_class, definition->added_tokens);
  if (!plan.ok()) return plan.status();
  if (plan->without_defined) definition->added_tokens.clear();
  return Parts{*std::move(choice), *std::move(settings), *std::move(definition),
               *std::move(plan)};
}

Tokenizer::Options ToOptions(Parts& parts) {
  const TokenizerConfig& settings = parts.settings;
  const TokenizerDefinition& definition = parts.definition;
  const Profile profile = parts.choice.profile;
  // transformers 5 no longer cleans up after byte-level BPE.
  const bool cleans_up = settings.clean_up_tokenization_spaces &&
                         !(definition.byte_level && profile == Profile::kHf5);
  const auto side = [](std::optional<Side> set, std::optional<Side> in_file) {
    return set.value_or(in_file.value_or(Side::kRight));
  };
  return {.profile = profile,
          .profile_reason = std::move(parts.choice.reason),
          .model_max_length = settings.model_max_length,
          .clean_up_tokenization_spaces = cleans_up,
          .token_type_ids = settings.token_type_ids,
          .padding_side = side(settings.padding_side, definition.padding_side),
          .truncation_side =
              side(settings.truncation_side, definition.truncation_side)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> BuildTokenizer(
    const TokenizerFiles& files, const LoadOptions& load_options) {
  auto parts = ReadParts(files, load_options);
  if (!parts.ok()) return parts.status();
  Tokenizer::Options options = ToOptions(*parts);
  options.max_working_bytes = load_options.max_working_bytes;
  auto& [choice, settings, definition, plan] = *parts;
  for (const std::string& token : load_options.special_tokens) {
    plan.tokens.push_back({.token = {.content = token}, .declared_id = {}});
  }
  const bool slow = options.profile == Profile::kSpm;
  // A tokenizer in Python seeks every added token in the text as it is.
  if (settings.japanese.has_value()) {
    for (DeclaredToken& token : plan.tokens) {
      token.token.normalized = false;
      if (!token.token.single_word) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "added token \"", Excerpt(token.token.content),
          "\": expected single_word false, with BertJapaneseTokenizer"));
    }
  }
  auto tokens = AssignIds(definition, plan);
  if (!tokens.ok()) return tokens.status();
  if (slow) LowerContents(*definition.segmenter, &*tokens);
  auto special =
      AddedTokens::Create(*tokens, *definition.segmenter,
                          {.splits_special = settings.split_special_tokens,
                           .from_0_23 = options.profile == Profile::kHf5});
  if (!special.ok()) return special.status();
  const auto& template_of_file = definition.post_processor;
  auto ids = ResolveSpecialTokenIds(
      plan.names,
      template_of_file.has_value() ? &template_of_file->single : nullptr,
      **special, *definition.segmenter);
  if (!ids.ok()) return ids.status();
  options.special_ids = *ids;
  auto post_processor =
      FindPostProcessor(definition, plan, *ids, **special, options.profile);
  if (!post_processor.ok()) return post_processor.status();
  options.post_processor = *std::move(post_processor);
  options.all_special_ids =
      AllSpecialTokenIds(plan.names, **special, *definition.segmenter);
  std::unique_ptr<const SlowAddedTokens> slow_special;
  if (slow) {
    slow_special = std::make_unique<const SlowAddedTokens>(
        SlowAddedTokens::Options{
            .tokens = *std::move(tokens),
            .named = std::move(plan.names.named),
            .additional = std::move(plan.names.additional)},
        definition.vocabulary_entries);
  }
  return std::make_unique<const Tokenizer>(
      std::move(options), std::move(definition.segmenter), *std::move(special),
      std::move(slow_special));
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizer(
    const std::string& directory, const LoadOptions& options) {
  const auto files = ReadTokenizerFiles(directory, options.profile);
  if (!files.ok()) return files.status();
  return BuildTokenizer(*files, options);
}

}  // namespace deberta::tokenizer
