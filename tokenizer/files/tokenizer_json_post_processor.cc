#include "tokenizer/files/tokenizer_json_post_processor.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deberta::tokenizer {
namespace {

constexpr std::string_view kTemplateWanted =
    "a template of special tokens, as [CLS] A [SEP]";

// Of one template: each is in every input.
constexpr size_t kMaxSpecialTokens = 64;

// The ids of one of TemplateProcessing's "special_tokens".
std::vector<int32_t> ReadIds(const JsonNode& token) {
  std::vector<int32_t> ids;
  token.AllowOnly({"id", "ids", "tokens"});
  for (const JsonNode& id : token.At("ids").Elements()) {
    ids.push_back(id.Int32());
  }
  return ids;
}

TemplatePiece ReadPiece(const JsonNode& node, const JsonNode& special_tokens) {
  node.AllowOnly({"SpecialToken", "Sequence"});
  const JsonNode special = node.At("SpecialToken");
  const JsonNode piece = special.present() ? special : node.At("Sequence");
  piece.AllowOnly({"id", "type_id"});
  const JsonNode id = piece.At("id");
  TemplatePiece read = {.type_id = piece.At("type_id").Int32()};
  if (special.present()) {
    read.ids = ReadIds(special_tokens.At(id.String()));
  } else if (const std::string name = id.String(); name == "A" || name == "B") {
    read.sequence = name == "A" ? 0 : 1;
  } else {
    id.Fail("\"A\" or \"B\"");
  }
  return read;
}

Template ReadTemplate(const JsonNode& node, const JsonNode& special_tokens,
                      int texts) {
  Template pieces;
  std::array<int, 2> seen{};
  for (const JsonNode& piece : node.Elements()) {
    pieces.push_back(ReadPiece(piece, special_tokens));
    if (!node.ok()) return pieces;
    if (const int8_t text = pieces.back().sequence; text >= 0) {
      ++seen[static_cast<size_t>(text)];
    }
  }
  if (seen[0] != 1 || seen[1] != texts - 1) {
    node.Fail(texts == 1 ? "A once" : "A and B, each once");
  }
  const size_t special = SpecialTokenCount(pieces);
  if (special == 0 || special > kMaxSpecialTokens) {
    node.Fail("1 to 64 special tokens");
  }
  return pieces;
}

PostProcessor ReadTemplateProcessing(const JsonNode& node) {
  node.AllowOnly({"type", "single", "pair", "special_tokens"});
  const JsonNode special = node.At("special_tokens");
  return {.single = ReadTemplate(node.At("single"), special, 1),
          .pair = ReadTemplate(node.At("pair"), special, 2)};
}

// ["[SEP]", 2]
int32_t ReadTokenWithId(const JsonNode& node) {
  const std::vector<JsonNode> pair = node.Elements();
  if (pair.size() != 2) {
    node.Fail("a token and its id");
    return 0;
  }
  pair[0].String();
  return pair[1].Int32();
}

PostProcessor ReadRobertaProcessing(const JsonNode& node) {
  node.AllowOnly({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
  PostProcessor processor = Hf5DebertaTemplate(ReadTokenWithId(node.At("cls")),
                                               ReadTokenWithId(node.At("sep")));
  const bool keeps_first = node.At("add_prefix_space").BoolOr(true);
  if (node.At("trim_offsets").BoolOr(true)) {
    processor.offset_trims.push_back(keeps_first);
  }
  return processor;
}

PostProcessor ReadBertProcessing(const JsonNode& node) {
  node.AllowOnly({"type", "sep", "cls"});
  return DebertaTemplate(ReadTokenWithId(node.At("cls")),
                         ReadTokenWithId(node.At("sep")));
}

// Only offsets.
PostProcessor ReadByteLevel(const JsonNode& node) {
  node.AllowOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  PostProcessor processor;
  const bool keeps_first = node.At("add_prefix_space").BoolOr(true);
  if (node.At("trim_offsets").BoolOr(true)) {
    processor.offset_trims.push_back(keeps_first);
  }
  return processor;
}

PostProcessor ReadStep(const JsonNode& node) {
  const JsonNode type_node = node.At("type");
  const std::string type = type_node.String();
  if (type == "TemplateProcessing") return ReadTemplateProcessing(node);
  if (type == "RobertaProcessing") return ReadRobertaProcessing(node);
  if (type == "BertProcessing") return ReadBertProcessing(node);
  if (type == "ByteLevel") return ReadByteLevel(node);
  type_node.Fail(
      "TemplateProcessing, RobertaProcessing, BertProcessing, ByteLevel or a "
      "Sequence of them (nothing else is supported here)");
  return {};
}

}  // namespace

PostProcessor ReadPostProcessor(const JsonNode& node) {
  PostProcessor processor;
  if (!node.present()) {
    node.Fail(kTemplateWanted);
    return processor;
  }
  const bool sequence = node.At("type").StringOr("") == "Sequence";
  std::vector<JsonNode> steps = {node};
  if (sequence) {
    node.AllowOnly({"type", "processors"});
    steps = node.At("processors").Elements();
  }
  for (const JsonNode& step : steps) {
    PostProcessor read = ReadStep(step);
    if (!node.ok()) return processor;
    processor.offset_trims.insert(processor.offset_trims.end(),
                                  read.offset_trims.begin(),
                                  read.offset_trims.end());
    if (read.single.empty()) continue;
    if (!processor.single.empty()) {
      step.Fail("no second template");
      return processor;
    }
    processor.single = std::move(read.single);
    processor.pair = std::move(read.pair);
  }
  if (processor.single.empty()) node.Fail(kTemplateWanted);
  return processor;
}

}  // namespace deberta::tokenizer
