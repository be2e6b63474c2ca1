#include "tokenizer/loader.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/added_token_files.h"
#include "tokenizer/excerpt.h"
#include "tokenizer/json_reader.h"
#include "tokenizer/raw_files.h"
#include "tokenizer/slow_special_tokens.h"
#include "tokenizer/special_tokens.h"
#include "tokenizer/tokenizer_json.h"

namespace deberta::tokenizer {
namespace {

// transformers' stand-in for "no limit" is above this.
constexpr double kLargeInteger = 1e20;

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

// The rest of tokenizer_config.json.
struct Settings {
  std::optional<int64_t> model_max_length;
  bool clean_up_tokenization_spaces = false;
  bool add_prefix_space = false;
  SpmOptions spm;
  Hf5Settings hf5;
  // transformers 5 takes tokenizer.json as it is, as 4.57 always does.
  bool generic_class = false;
};

absl::StatusOr<Settings> ReadSettings(const JsonDocument& config) {
  const JsonNode root = config.root();
  Settings settings;
  JsonNode length = root.At("model_max_length");
  if (!length.present()) length = root.At("max_len");
  if (length.present()) {
    const double value = length.Number();
    if (!(value >= 1)) length.Fail("a number of at least 1");
    if (value <= kLargeInteger) {
      settings.model_max_length =
          value < static_cast<double>(std::numeric_limits<int64_t>::max())
              ? static_cast<int64_t>(value)
              : std::numeric_limits<int64_t>::max();
    }
  }
  settings.clean_up_tokenization_spaces =
      root.At("clean_up_tokenization_spaces").BoolOr(false);
  settings.add_prefix_space = root.At("add_prefix_space").BoolOr(false);
  settings.spm.do_lower_case = root.At("do_lower_case").BoolOr(false);
  settings.spm.split_by_punct = root.At("split_by_punct").BoolOr(false);
  settings.hf5 = {.do_lower_case = settings.spm.do_lower_case,
                  .split_by_punct = settings.spm.split_by_punct,
                  .add_prefix_space = root.At("add_prefix_space").BoolOr(true)};
  if (const JsonNode id = root.At("unk_id"); id.present()) {
    settings.hf5.unk_id = id.Int32();
  }
  if (const JsonNode unk = root.At("unk_token"); unk.present()) {
    settings.hf5.unk_token =
        unk.is_object() ? unk.At("content").String() : unk.String();
  }
  const std::string name = root.At("tokenizer_class").StringOr("");
  settings.generic_class =
      name == "PreTrainedTokenizerFast" || name == "TokenizersBackend";
  if (const JsonNode side = root.At("truncation_side");
      side.StringOr("right") != "right") {
    side.Fail("\"right\"");
  }
  if (const JsonNode split = root.At("split_special_tokens");
      split.BoolOr(false)) {
    split.Fail("false: true is not supported");
  }
  if (!config.error().ok()) return config.error();
  return settings;
}

absl::StatusOr<TokenizerDefinition> ReadDefinition(const TokenizerFiles& files,
                                                   const Settings& settings,
                                                   Profile profile) {
  switch (files.source) {
    case TokenizerSource::kTokenizerJson: {
      auto document = JsonDocument::Parse("tokenizer.json", files.model);
      if (!document.ok()) return document.status();
      const bool hf5 = profile == Profile::kHf5 && !settings.generic_class;
      return ParseTokenizerJson(*document, settings.add_prefix_space,
                                hf5 ? &settings.hf5 : nullptr);
    }
    case TokenizerSource::kVocabAndMerges: {
      auto vocab = JsonDocument::Parse("vocab.json", files.model);
      if (!vocab.ok()) return vocab.status();
      return ReadVocabAndMerges(*vocab, files.merges,
                                settings.add_prefix_space);
    }
    case TokenizerSource::kSpm:
      break;
  }
  if (profile == Profile::kSpm) {
    return ReadSpmAsLibrary(files.model, settings.spm);
  }
  if (profile == Profile::kHf5) {
    return ReadSpmAsHf5(files.model, settings.hf5);
  }
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

absl::StatusOr<int32_t> IdOf(const std::optional<std::string>& content,
                             const std::string& fallback,
                             const SpecialTokens& added,
                             const Segmenter& segmenter) {
  for (const std::string& name : {content.value_or(fallback), fallback}) {
    if (const auto id = added.TokenToId(name)) return *id;
    if (const auto id = segmenter.TokenToId(name)) return *id;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("vocabulary: expected the token \"", fallback, "\""));
}

// Of the named and the additional special tokens.
std::vector<int32_t> IdsOf(const AddedTokenPlan& plan,
                           const SpecialTokens& added,
                           const Segmenter& segmenter) {
  std::vector<int32_t> ids;
  for (const auto* contents : {&plan.named, &plan.additional}) {
    for (const std::string& content : *contents) {
      const auto id = IdOf(content, content, added, segmenter);
      if (id.ok() && std::find(ids.begin(), ids.end(), *id) == ids.end()) {
        ids.push_back(*id);
      }
    }
  }
  return ids;
}

absl::StatusOr<Tokenizer::SpecialIds> ResolveSpecialIds(
    const TokenizerDefinition& definition, const AddedTokenPlan& plan,
    const SpecialTokens& added, Profile profile) {
  const Segmenter& segmenter = *definition.segmenter;
  Tokenizer::SpecialIds ids{};
  // The template of 4.57's converters spells "[CLS]" and "[SEP]".
  const bool by_name = profile != Profile::kHf4;
  const auto cls = by_name ? plan.cls : std::nullopt;
  const auto sep = by_name ? plan.sep : std::nullopt;
  struct Wanted {
    int32_t* id;
    std::optional<int32_t> known;
    std::optional<std::string> content;
    std::string fallback;
  };
  for (const Wanted& wanted :
       {Wanted{&ids.cls, definition.cls_id, cls, "[CLS]"},
        Wanted{&ids.sep, definition.sep_id, sep, "[SEP]"},
        Wanted{&ids.pad, std::nullopt, plan.pad, "[PAD]"},
        Wanted{&ids.unk, std::nullopt, plan.unk, "[UNK]"}}) {
    absl::StatusOr<int32_t> id =
        wanted.known.has_value()
            ? *wanted.known
            : IdOf(wanted.content, wanted.fallback, added, segmenter);
    if (!id.ok()) return id.status();
    if (added.IdToToken(*id).empty() && segmenter.IdToToken(*id).empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("tokenizer.json: post_processor: ", wanted.fallback,
                       ": expected the id of a token, got ", *id));
    }
    *wanted.id = *id;
  }
  if (const auto mask = IdOf(plan.mask, "[MASK]", added, segmenter);
      mask.ok()) {
    ids.mask = *mask;
  }
  return ids;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Tokenizer>> BuildTokenizer(
    const TokenizerFiles& files, const LoadOptions& options) {
  const bool slow = options.profile == Profile::kSpm;
  if (slow && files.source != TokenizerSource::kSpm) {
    return absl::InvalidArgumentError(
        "the tokenizer profile \"spm\" needs spm.model");
  }
  auto side_files = ParseSideFiles(files);
  if (!side_files.ok()) return side_files.status();
  auto settings = ReadSettings(side_files->tokenizer_config);
  if (!settings.ok()) return settings.status();
  auto definition = ReadDefinition(files, *settings, options.profile);
  if (!definition.ok()) return definition.status();
  auto plan = PlanAddedTokens(*side_files, files.source, options.profile,
                              definition->added_tokens);
  if (!plan.ok()) return plan.status();
  auto tokens = AssignIds(*definition, *plan);
  if (!tokens.ok()) return tokens.status();
  if (slow) LowerContents(*definition->segmenter, &*tokens);
  auto special = SpecialTokens::Create(*tokens, *definition->segmenter);
  if (!special.ok()) return special.status();
  auto ids = ResolveSpecialIds(*definition, *plan, **special, options.profile);
  if (!ids.ok()) return ids.status();
  // transformers 5 no longer does it for byte-level BPE.
  const bool cleans_up =
      settings->clean_up_tokenization_spaces &&
      !(definition->byte_level && options.profile == Profile::kHf5);
  std::vector<int32_t> all_special_ids =
      IdsOf(*plan, **special, *definition->segmenter);
  std::unique_ptr<const SlowSpecialTokens> slow_special;
  if (slow) {
    slow_special = std::make_unique<const SlowSpecialTokens>(
        SlowSpecialTokens::Options{.tokens = *std::move(tokens),
                                   .named = std::move(plan->named),
                                   .additional = std::move(plan->additional)},
        definition->vocabulary_entries);
  }
  return std::make_unique<const Tokenizer>(
      Tokenizer::Options{.profile = options.profile,
                         .special_ids = *ids,
                         .all_special_ids = std::move(all_special_ids),
                         .model_max_length = settings->model_max_length,
                         .clean_up_tokenization_spaces = cleans_up},
      std::move(definition->segmenter), *std::move(special),
      std::move(slow_special));
}

absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizer(
    const std::string& directory, const LoadOptions& options) {
  const auto files = ReadTokenizerFiles(directory, options.profile);
  if (!files.ok()) return files.status();
  return BuildTokenizer(*files, options);
}

}  // namespace deberta::tokenizer
