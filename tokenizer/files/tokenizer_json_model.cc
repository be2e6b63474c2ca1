#include "tokenizer/files/tokenizer_json_model.h"

#include <string>
#include <vector>

namespace deberta::tokenizer {

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

BpeOptions ReadBpe(const JsonNode& model) {
  model.AllowOnly({"type", "dropout", "unk_token", "continuing_subword_prefix",
                   "end_of_word_suffix", "fuse_unk", "byte_fallback",
                   "ignore_merges", "vocab", "merges"});
  const JsonNode dropout = model.At("dropout");
  if (dropout.present() && dropout.Number() != 0) dropout.Fail("null or 0");
  BpeOptions options{
      .vocabulary = ReadVocabulary(model.At("vocab")),
      .merges = ReadMerges(model.At("merges")),
      .continuing_subword_prefix =
          model.At("continuing_subword_prefix").StringOr(""),
      .end_of_word_suffix = model.At("end_of_word_suffix").StringOr(""),
      .fuse_unk = model.At("fuse_unk").BoolOr(false),
      .byte_fallback = model.At("byte_fallback").BoolOr(false),
      .ignore_merges = model.At("ignore_merges").BoolOr(false)};
  if (const JsonNode unk = model.At("unk_token"); unk.present()) {
    options.unk_token = unk.String();
  }
  return options;
}

WordPieceOptions ReadWordPiece(const JsonNode& model) {
  model.AllowOnly({"type", "unk_token", "continuing_subword_prefix",
                   "max_input_chars_per_word", "vocab"});
  WordPieceOptions options{.vocabulary = ReadVocabulary(model.At("vocab")),
                           .unk_token = model.At("unk_token").String(),
                           .continuing_subword_prefix =
                               model.At("continuing_subword_prefix").String()};
  const JsonNode most = model.At("max_input_chars_per_word");
  if (!most.present() || !most.value()->is_number_unsigned()) {
    most.Fail("a number from 0 on");
    return options;
  }
  options.max_input_chars_per_word = most.value()->get<uint64_t>();
  return options;
}

}  // namespace deberta::tokenizer
