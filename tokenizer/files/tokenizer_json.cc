#include "tokenizer/files/tokenizer_json.h"

#include <memory>
#include <string>
#include <utility>

#include "tokenizer/files/tokenizer_config.h"
#include "tokenizer/files/tokenizer_json_model.h"
#include "tokenizer/files/tokenizer_json_normalizer.h"
#include "tokenizer/files/tokenizer_json_post_processor.h"
#include "tokenizer/files/tokenizer_json_pre_tokenizer.h"
#include "tokenizer/files/tokenizer_json_unigram.h"
#include "tokenizer/files/vocab_and_merges.h"
#include "tokenizer/segmentation/bpe.h"
#include "tokenizer/segmentation/byte_level_bpe.h"
#include "tokenizer/segmentation/pipeline.h"
#include "tokenizer/segmentation/word_piece.h"

namespace deberta::tokenizer {
namespace {

// Whether a BPE model is GPT-2's with all around it, which ByteLevelBpe is.
bool IsByteLevelPipeline(const JsonNode& root, const BpeOptions& model) {
  const auto is_byte_level = [&](const char* key) {
    const JsonNode node = root.At(key);
    return node.is_object() && node.At("type").StringOr("") == "ByteLevel";
  };
  return is_byte_level("pre_tokenizer") && is_byte_level("decoder") &&
         root.At("pre_tokenizer").At("use_regex").BoolOr(true) &&
         !root.At("normalizer").present() && !model.fuse_unk &&
         !model.byte_fallback && !model.ignore_merges &&
         model.continuing_subword_prefix.empty() &&
         model.end_of_word_suffix.empty();
}

absl::Status BuildByteLevelBpe(ByteLevelBpeOptions options,
                               TokenizerDefinition* definition) {
  auto bpe = ByteLevelBpe::Create(options);
  if (!bpe.ok()) return bpe.status();
  definition->segmenter = *std::move(bpe);
  definition->byte_level = true;
  definition->vocabulary_entries =
      static_cast<int32_t>(options.vocabulary.size());
  return absl::OkStatus();
}

// What stands around `model` in the file.
absl::Status BuildPipeline(const JsonNode& root, const JsonClass& settings,
                           std::unique_ptr<const WordModel> model,
                           TokenizerDefinition* definition) {
  auto normalizer = ReadNormalizer(root.At("normalizer"), settings.bert);
  auto pre_tokenizer =
      ReadPreTokenizer(root.At("pre_tokenizer"), settings.add_prefix_space);
  Decoder decoder = ReadDecoder(root.At("decoder"));
  if (!root.ok()) return absl::OkStatus();  // the document has the error
  if (!normalizer.ok()) return normalizer.status();
  if (!pre_tokenizer.ok()) return pre_tokenizer.status();
  definition->vocabulary_entries = model->entries();
  definition->segmenter = std::make_unique<const Pipeline>(
      *std::move(normalizer), *std::move(pre_tokenizer), std::move(model),
      std::move(decoder));
  return absl::OkStatus();
}

// What version 5's class makes of the vocabulary and the merges.
absl::Status BuildHf5Bpe(const JsonNode& root, const JsonClass& settings,
                         TokenizerDefinition* definition) {
  const JsonNode model = root.At("model");
  ByteLevelBpeOptions options{
      .vocabulary = ReadVocabulary(model.At("vocab")),
      .merges = ReadMerges(model.At("merges")),
      .unk_token = std::nullopt,
      .add_prefix_space = settings.add_prefix_space.value_or(false)};
  if (!root.ok()) return absl::OkStatus();
  return BuildByteLevelBpe(std::move(options), definition);
}

absl::Status BuildBpe(const JsonNode& root, const JsonClass& settings,
                      TokenizerDefinition* definition) {
  BpeOptions model = ReadBpe(root.At("model"));
  if (!root.ok()) return absl::OkStatus();
  if (!IsByteLevelPipeline(root, model)) {
    if (!root.ok()) return absl::OkStatus();
    auto bpe = Bpe::Create(model);
    if (!bpe.ok()) return bpe.status();
    return BuildPipeline(root, settings, *std::move(bpe), definition);
  }
  for (const char* key : {"pre_tokenizer", "decoder"}) {
    root.At(key).AllowOnly(
        {"type", "add_prefix_space", "trim_offsets", "use_regex"});
  }
  const bool own = root.At("pre_tokenizer").At("add_prefix_space").BoolOr(true);
  if (!root.ok()) return absl::OkStatus();
  return BuildByteLevelBpe(
      {.vocabulary = std::move(model.vocabulary),
       .merges = std::move(model.merges),
       .unk_token = std::move(model.unk_token),
       .add_prefix_space = settings.add_prefix_space.value_or(own)},
      definition);
}

absl::Status BuildUnigram(const JsonNode& root, const JsonClass& settings,
                          TokenizerDefinition* definition) {
  const bool own_pipeline =
      settings.hf5 != nullptr || IsSentencePiecePipeline(root);
  if (!root.ok()) return absl::OkStatus();
  auto unigram = settings.hf5 != nullptr ? ReadHf5Unigram(root, *settings.hf5)
                 : own_pipeline          ? ReadUnigram(root)
                                         : ReadUnigramModel(root.At("model"));
  if (!unigram.ok()) return unigram.status();
  if (*unigram == nullptr) return absl::OkStatus();
  if (!own_pipeline) {
    return BuildPipeline(
        root, settings,
        std::make_unique<const UnigramWords>(*std::move(unigram)), definition);
  }
  definition->vocabulary_entries = (*unigram)->vocab_size();
  definition->segmenter = *std::move(unigram);
  return absl::OkStatus();
}

absl::Status BuildWordPiece(const JsonNode& root, const JsonClass& settings,
                            TokenizerDefinition* definition) {
  if (settings.rebuilds_bert) {
    auto vocabulary = ReadVocabulary(root.At("model").At("vocab"));
    if (!root.ok()) return absl::OkStatus();
    return BuildBert(std::move(vocabulary), settings.unk_token, *settings.bert,
                     definition);
  }
  const WordPieceOptions options = ReadWordPiece(root.At("model"));
  if (!root.ok()) return absl::OkStatus();
  auto model = WordPiece::Create(options);
  if (!model.ok()) return model.status();
  return BuildPipeline(root, settings, *std::move(model), definition);
}

absl::Status BuildModel(const JsonNode& root, const JsonClass& settings,
                        TokenizerDefinition* definition) {
  const JsonNode type = root.At("model").At("type");
  const std::string name = type.String();
  const bool hf5 = settings.hf5 != nullptr;
  if (settings.rebuilds_bert && name != "WordPiece") {
    type.Fail("WordPiece, with the class BertTokenizer");
  } else if (hf5 && name == "WordPiece") {
    type.Fail(
        "BPE or Unigram, or \"tokenizer_class\": \"BertTokenizer\" in "
        "tokenizer_config.json: transformers 5 builds no WordPiece for "
        "DeBERTa's own class");
  } else if (name == "BPE") {
    return hf5 ? BuildHf5Bpe(root, settings, definition)
               : BuildBpe(root, settings, definition);
  } else if (name == "Unigram") {
    return BuildUnigram(root, settings, definition);
  } else if (name == "WordPiece") {
    return BuildWordPiece(root, settings, definition);
  } else {
    type.Fail("BPE, Unigram or WordPiece (nothing else is supported here)");
  }
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
    const JsonDocument& document, const JsonClass& settings) {
  TokenizerDefinition definition;
  const JsonNode root = document.root();
  root.AllowOnly({"version", "truncation", "padding", "added_tokens",
                  "normalizer", "pre_tokenizer", "post_processor", "decoder",
                  "model"});
  const JsonNode version = root.At("version");
  if (version.StringOr("1.0") != "1.0") version.Fail("\"1.0\"");
  ReadSides(root, &definition);
  // transformers 5 has its own template.
  if (settings.hf5 == nullptr && !settings.rebuilds_bert) {
    definition.post_processor = ReadPostProcessor(root.At("post_processor"));
  }
  if (const JsonNode added = root.At("added_tokens"); added.present()) {
    for (const JsonNode& node : added.Elements()) {
      definition.added_tokens.push_back(
          {.token = ReadAddedToken(node, false, true),
           .declared_id = node.At("id").Int32()});
    }
  }
  if (!root.ok()) return document.error();
  const absl::Status status = BuildModel(root, settings, &definition);
  if (!root.ok()) return document.error();
  if (!status.ok()) return InFile("tokenizer.json", status);
  return definition;
}

}  // namespace deberta::tokenizer
