#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenizer/files/tokenizer_json_pre_tokenizer.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// How many times as long the Replaces may make a text.
constexpr size_t kMaxGrowth = 12;

Decoder::Strip ReadStrip(const JsonNode& node) {
  node.AllowOnly({"type", "content", "start", "stop"});
  const std::string content = node.At("content").String();
  if (CountCodePoints(content) != 1) node.At("content").Fail("one character");
  const auto count = [&](const char* key) {
    const int32_t value = node.At(key).Int32();
    if (value < 0) node.At(key).Fail("a number from 0 on");
    return static_cast<size_t>(value < 0 ? 0 : value);
  };
  return {.content = content, .start = count("start"), .stop = count("stop")};
}

Decoder::Replace ReadReplace(const JsonNode& node) {
  node.AllowOnly({"type", "pattern", "content"});
  const JsonNode pattern = node.At("pattern");
  pattern.AllowOnly({"String"});
  const std::string text = pattern.At("String").String();
  if (text.empty()) pattern.Fail("a text that is not empty");
  return {.pattern = text, .content = node.At("content").String()};
}

void ReadStep(const JsonNode& node, std::vector<Decoder::Step>* steps) {
  const JsonNode type_node = node.At("type");
  const std::string type = type_node.String();
  if (type == "WordPiece") {
    node.AllowOnly({"type", "prefix", "cleanup"});
    steps->emplace_back(
        Decoder::WordPiece{.prefix = node.At("prefix").StringOr("##"),
                           .cleanup = node.At("cleanup").BoolOr(true)});
  } else if (type == "BPEDecoder") {
    node.AllowOnly({"type", "suffix"});
    const std::string suffix = node.At("suffix").StringOr("</w>");
    if (suffix.empty()) node.At("suffix").Fail("a text that is not empty");
    steps->emplace_back(Decoder::BpeSuffix{.suffix = suffix});
  } else if (type == "Metaspace") {
    steps->emplace_back(ReadMetaspace(node));
  } else if (type == "ByteLevel") {
    node.AllowOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    steps->emplace_back(Decoder::ByteLevel{});
  } else if (type == "ByteFallback") {
    node.AllowOnly({"type"});
    steps->emplace_back(Decoder::ByteFallback{});
  } else if (type == "Fuse") {
    node.AllowOnly({"type"});
    steps->emplace_back(Decoder::Fuse{});
  } else if (type == "Strip") {
    steps->emplace_back(ReadStrip(node));
  } else if (type == "Replace") {
    steps->emplace_back(ReadReplace(node));
  } else {
    type_node.Fail(
        "Sequence, BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, "
        "Replace, Strip or WordPiece (nothing else is supported here)");
  }
}

}  // namespace

Decoder ReadDecoder(const JsonNode& node) {
  std::vector<Decoder::Step> steps;
  size_t growth = 1;
  if (!node.present()) return Decoder(std::move(steps));
  for (const JsonNode& step : StepsOf(node, "decoders")) {
    ReadStep(step, &steps);
    if (!node.ok()) break;
    const auto* replace = std::get_if<Decoder::Replace>(&steps.back());
    if (replace == nullptr) continue;
    const size_t pattern = replace->pattern.size();
    growth *=
        std::max<size_t>(1, (replace->content.size() + pattern - 1) / pattern);
    if (growth > kMaxGrowth) {
      step.Fail(absl::StrCat("Replaces that make a text at most ", kMaxGrowth,
                             " times as long"));
      break;
    }
  }
  return Decoder(std::move(steps));
}

}  // namespace deberta::tokenizer
