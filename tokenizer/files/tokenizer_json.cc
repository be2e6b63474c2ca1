#include "tokenizer/files/tokenizer_json.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenizer/files/tokenizer_config.h"
#include "tokenizer/files/tokenizer_json_post_processor.h"
#include "tokenizer/files/tokenizer_json_unigram.h"
#include "tokenizer/segmentation/byte_level_bpe.h"

namespace deberta::tokenizer {
namespace {

// A field that may only have its neutral value.
void ExpectFalse(const JsonNode& node, std::string_view key) {
  const JsonNode field = node.At(key);
  if (field.BoolOr(false)) field.Fail("false: true is not supported");
}

void ExpectNoText(const JsonNode& node, std::string_view key) {
  const JsonNode field = node.At(key);
  if (!field.StringOr("").empty()) {
    field.Fail("null or \"\": other values are not supported");
  }
}

// Notes what of a BPE model and its surroundings is not served.
void CheckBpe(const JsonNode& root) {
  if (const JsonNode normalizer = root.At("normalizer"); normalizer.present()) {
    normalizer.Fail("null, for model BPE");
  }
  const JsonNode pre_tokenizer = root.At("pre_tokenizer");
  if (pre_tokenizer.IsOfType("ByteLevel")) {
    pre_tokenizer.AllowOnly(
        {"type", "add_prefix_space", "trim_offsets", "use_regex"});
    const JsonNode use_regex = pre_tokenizer.At("use_regex");
    if (!use_regex.BoolOr(true)) use_regex.Fail("true");
  }
  const JsonNode decoder = root.At("decoder");
  if (decoder.IsOfType("ByteLevel")) {
    decoder.AllowOnly(
        {"type", "add_prefix_space", "trim_offsets", "use_regex"});
  }
  const JsonNode model = root.At("model");
  model.AllowOnly({"type", "dropout", "unk_token", "continuing_subword_prefix",
                   "end_of_word_suffix", "fuse_unk", "byte_fallback",
                   "ignore_merges", "vocab", "merges"});
  const JsonNode dropout = model.At("dropout");
  if (dropout.present() && dropout.Number() != 0) dropout.Fail("null or 0");
  ExpectNoText(model, "continuing_subword_prefix");
  ExpectNoText(model, "end_of_word_suffix");
  ExpectFalse(model, "fuse_unk");
  ExpectFalse(model, "byte_fallback");
  ExpectFalse(model, "ignore_merges");
}

absl::Status BuildBpe(const JsonNode& root,
                      std::optional<bool> add_prefix_space, bool hf5,
                      TokenizerDefinition* definition) {
  if (!hf5) CheckBpe(root);
  const JsonNode model = root.At("model");
  ByteLevelBpeOptions options{.vocabulary = ReadVocabulary(model.At("vocab")),
                              .merges = ReadMerges(model.At("merges")),
                              .unk_token = std::nullopt};
  options.add_prefix_space =
      add_prefix_space.has_value()
          ? *add_prefix_space
          : root.At("pre_tokenizer").At("add_prefix_space").BoolOr(true);
  if (const JsonNode unk = model.At("unk_token"); !hf5 && unk.present()) {
    options.unk_token = unk.String();
  }
  if (!root.ok()) return absl::OkStatus();  // the document has the error
  auto bpe = ByteLevelBpe::Create(options);
  if (!bpe.ok()) return bpe.status();
  definition->segmenter = *std::move(bpe);
  definition->byte_level = true;
  definition->vocabulary_entries =
      static_cast<int32_t>(options.vocabulary.size());
  return absl::OkStatus();
}

// How much there is is the caller's to say; only the sides count.
void ReadSides(const JsonNode& root, TokenizerDefinition* definition) {
  if (const JsonNode block = root.At("truncation"); block.present()) {
    definition->truncation_side = ReadSide(block.At("direction"));
  }
  if (const JsonNode block = root.At("padding"); block.present()) {
    definition->padding_side = ReadSide(block.At("direction"));
  }
}

}  // namespace

std::vector<std::pair<std::string, int32_t>> ReadVocabulary(
    const JsonNode& node) {
  std::vector<std::pair<std::string, int32_t>> vocabulary;
  if (!node.is_object()) {
    node.Fail("an object");
    return vocabulary;
  }
  vocabulary.reserve(node.value()->size());
  for (auto entry = node.value()->begin(); entry != node.value()->end();
       ++entry) {
    const auto* id = entry->get_ptr<const uint64_t*>();
    if (id == nullptr || !entry->is_number_unsigned() ||
        *id >= ByteLevelBpe::kMaxVocabulary) {
      node.At(entry.key()).Fail("a vocabulary id");
      return vocabulary;
    }
    vocabulary.emplace_back(entry.key(), static_cast<int32_t>(*id));
  }
  return vocabulary;
}

Merges ReadMerges(const JsonNode& node) {
  Merges merges;
  for (const JsonNode& merge : node.Elements()) {
    if (!merge.is_string()) {
      const std::vector<JsonNode> pair = merge.Elements();
      if (pair.size() != 2) merge.Fail("two tokens");
      if (!node.ok()) return merges;
      merges.emplace_back(pair[0].String(), pair[1].String());
      continue;
    }
    const std::string text = merge.String();
    const size_t space = text.find(' ');
    if (space == std::string::npos ||
        text.find(' ', space + 1) != std::string::npos) {
      merge.Fail("two tokens with a space between");
      return merges;
    }
    merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }
  return merges;
}

AddedToken ReadAddedToken(const JsonNode& node, bool special, bool normalized) {
  node.AllowOnly({"__type", "id", "content", "single_word", "lstrip", "rstrip",
                  "normalized", "special"});
  return {.id = 0,
          .content = node.At("content").String(),
          .single_word = node.At("single_word").BoolOr(false),
          .lstrip = node.At("lstrip").BoolOr(false),
          .rstrip = node.At("rstrip").BoolOr(false),
          .normalized = node.At("normalized").BoolOr(normalized),
          .special = node.At("special").BoolOr(special)};
}

absl::StatusOr<TokenizerDefinition> ParseTokenizerJson(
    const JsonDocument& document, std::optional<bool> add_prefix_space,
    const Hf5Settings* hf5) {
  TokenizerDefinition definition;
  const JsonNode root = document.root();
  root.AllowOnly({"version", "truncation", "padding", "added_tokens",
                  "normalizer", "pre_tokenizer", "post_processor", "decoder",
                  "model"});
  const JsonNode version = root.At("version");
  if (version.StringOr("1.0") != "1.0") version.Fail("\"1.0\"");
  ReadSides(root, &definition);
  // transformers 5 has its own template.
  if (hf5 == nullptr) {
    definition.post_processor = ReadPostProcessor(root.At("post_processor"));
  }
  if (const JsonNode added = root.At("added_tokens"); added.present()) {
    for (const JsonNode& node : added.Elements()) {
      definition.added_tokens.push_back(
          {.token = ReadAddedToken(node, false, true),
           .declared_id = node.At("id").Int32()});
    }
  }
  const JsonNode type = root.At("model").At("type");
  if (!root.ok()) return document.error();
  absl::Status status;
  if (const std::string name = type.String(); name == "BPE") {
    status =
        BuildBpe(root, add_prefix_space, /*hf5=*/hf5 != nullptr, &definition);
  } else if (name == "Unigram") {
    auto unigram =
        hf5 == nullptr ? ReadUnigram(root) : ReadHf5Unigram(root, *hf5);
    if (!unigram.ok()) {
      status = unigram.status();
    } else if (*unigram != nullptr) {
      definition.vocabulary_entries = (*unigram)->vocab_size();
      definition.segmenter = *std::move(unigram);
    }
  } else {
    type.Fail("BPE or Unigram (nothing else is supported here)");
  }
  if (!root.ok()) return document.error();
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("tokenizer.json: ", status.message()));
  }
  return definition;
}

}  // namespace deberta::tokenizer
