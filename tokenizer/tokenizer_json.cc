#include "tokenizer/tokenizer_json.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tokenizer/byte_bpe.h"
#include "tokenizer/unigram_json.h"

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

// "left right", or ["left", "right"].
absl::Status BuildBpe(const JsonNode& root, bool add_prefix_space,
                      TokenizerDefinition* definition) {
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
  ByteLevelBpeOptions options{.vocabulary = ReadVocabulary(model.At("vocab")),
                              .merges = ReadMerges(model.At("merges")),
                              .unk_token = std::nullopt,
                              .add_prefix_space = add_prefix_space};
  if (const JsonNode unk = model.At("unk_token"); unk.present()) {
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

// Checks that `node` is the template of `parts`, each a sequence ("A", "B") or
// a special token with its type; the ids of the latter go to `ids`.
struct TemplatePart {
  std::string_view kind;
  std::string_view sequence;
  int32_t type_id;
};

std::vector<std::string> ReadTemplate(
    const JsonNode& node, std::initializer_list<TemplatePart> parts) {
  std::vector<std::string> special;
  const std::vector<JsonNode> pieces = node.Elements();
  bool same = pieces.size() == parts.size();
  for (size_t i = 0; same && i < pieces.size(); ++i) {
    const TemplatePart& part = parts.begin()[i];
    pieces[i].AllowOnly({part.kind});
    const JsonNode piece = pieces[i].At(part.kind);
    piece.AllowOnly({"id", "type_id"});
    const std::string id = piece.At("id").String();
    same = piece.At("type_id").Int32() == part.type_id &&
           (part.sequence.empty() || id == part.sequence);
    if (part.sequence.empty()) special.push_back(id);
  }
  if (!same) {
    node.Fail(
        "DeBERTa's template: [CLS] A [SEP], or [CLS] A [SEP] B [SEP] with type "
        "1 from B on");
  }
  return special;
}

int32_t ReadTemplateId(const JsonNode& tokens, const std::string& name) {
  const JsonNode token = tokens.At(name);
  token.AllowOnly({"id", "ids", "tokens"});
  const JsonNode ids = token.At("ids");
  const std::vector<JsonNode> elements = ids.Elements();
  if (elements.size() != 1) {
    ids.Fail("one id");
    return 0;
  }
  return elements[0].Int32();
}

void ReadPostProcessor(const JsonNode& node, TokenizerDefinition* definition) {
  if (!node.IsOfType("TemplateProcessing")) return;
  node.AllowOnly({"type", "single", "pair", "special_tokens"});
  constexpr TemplatePart kSpecial = {"SpecialToken", "", 0};
  constexpr TemplatePart kA = {"Sequence", "A", 0};
  const auto single = ReadTemplate(node.At("single"), {kSpecial, kA, kSpecial});
  const auto pair =
      ReadTemplate(node.At("pair"),
                   {kSpecial, kA, kSpecial, TemplatePart{"Sequence", "B", 1},
                    TemplatePart{"SpecialToken", "", 1}});
  const JsonNode tokens = node.At("special_tokens");
  if (!node.ok()) return;
  if (pair[0] != single[0] || pair[1] != single[1] || pair[2] != single[1]) {
    node.At("pair").Fail("the special tokens of \"single\"");
    return;
  }
  definition->cls_id = ReadTemplateId(tokens, single[0]);
  definition->sep_id = ReadTemplateId(tokens, single[1]);
}

// Truncation and padding are the caller's; only a side we do not have matters.
void CheckSides(const JsonNode& root) {
  if (const JsonNode block = root.At("truncation"); block.present()) {
    const JsonNode side = block.At("direction");
    if (side.StringOr("Right") != "Right") side.Fail("\"Right\"");
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
    const JsonDocument& document, bool add_prefix_space,
    const Hf5Settings* hf5) {
  TokenizerDefinition definition;
  const JsonNode root = document.root();
  root.AllowOnly({"version", "truncation", "padding", "added_tokens",
                  "normalizer", "pre_tokenizer", "post_processor", "decoder",
                  "model"});
  const JsonNode version = root.At("version");
  if (version.StringOr("1.0") != "1.0") version.Fail("\"1.0\"");
  CheckSides(root);
  // transformers 5 has its own template.
  if (hf5 == nullptr) {
    ReadPostProcessor(root.At("post_processor"), &definition);
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
    status = BuildBpe(root, add_prefix_space, &definition);
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
