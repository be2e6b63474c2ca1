#include "tokenizer/files/tokenizer_json_normalizer.h"

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"

namespace deberta::tokenizer {
namespace {

// Those without options.
std::optional<Normalizer::Step> FindPlain(std::string_view type) {
  if (type == "Lowercase") return Normalizer::Lowercase{};
  if (type == "StripAccents") return Normalizer::StripAccents{};
  if (type == "Nmt") return Normalizer::Nmt{};
  if (type == "NFC") return NormalizationForm::kNfc;
  if (type == "NFD") return NormalizationForm::kNfd;
  if (type == "NFKC") return NormalizationForm::kNfkc;
  if (type == "NFKD") return NormalizationForm::kNfkd;
  return std::nullopt;
}

BertNormalizer ReadBert(const JsonNode& node) {
  node.AllowOnly({"type", "clean_text", "handle_chinese_chars", "strip_accents",
                  "lowercase"});
  BertSettings settings{
      .lowercase = node.At("lowercase").BoolOr(true),
      .handle_chinese_chars = node.At("handle_chinese_chars").BoolOr(true)};
  if (const JsonNode accents = node.At("strip_accents"); accents.present()) {
    settings.strip_accents = accents.Bool();
  }
  return settings.WithCleanText(node.At("clean_text").BoolOr(true));
}

void ReadStep(const JsonNode& node, std::vector<Normalizer::Step>* steps) {
  const JsonNode type_node = node.At("type");
  const std::string type = type_node.String();
  if (type == "Sequence") {
    node.AllowOnly({"type", "normalizers"});
    for (const JsonNode& step : node.At("normalizers").Elements()) {
      // A sequence in a sequence is refused, which bounds the recursion.
      if (step.At("type").StringOr("") == "Sequence") {
        step.Fail("a normalizer that is no Sequence");
        return;
      }
      ReadStep(step, steps);
    }
  } else if (type == "Strip") {
    node.AllowOnly({"type", "strip_left", "strip_right"});
    steps->emplace_back(
        Normalizer::Strip{.left = node.At("strip_left").Bool(),
                          .right = node.At("strip_right").Bool()});
  } else if (type == "Precompiled") {
    node.AllowOnly({"type", "precompiled_charsmap"});
    const JsonNode charsmap = node.At("precompiled_charsmap");
    std::string bytes;
    if (!absl::Base64Unescape(charsmap.String(), &bytes)) {
      charsmap.Fail("base64");
    }
    steps->emplace_back(Normalizer::Precompiled{.charsmap = std::move(bytes)});
  } else if (type == "Replace") {
    node.AllowOnly({"type", "pattern", "content"});
    const JsonNode pattern = node.At("pattern");
    pattern.AllowOnly({"String", "Regex"});
    const JsonNode regex = pattern.At("Regex");
    steps->emplace_back(Normalizer::Replace{
        .pattern =
            regex.present() ? regex.String() : pattern.At("String").String(),
        .regex = regex.present(),
        .content = node.At("content").String()});
  } else if (type == "Prepend") {
    node.AllowOnly({"type", "prepend"});
    steps->emplace_back(
        Normalizer::Prepend{.content = node.At("prepend").String()});
  } else if (type == "BertNormalizer") {
    steps->emplace_back(ReadBert(node));
  } else {
    node.AllowOnly({"type"});
    if (const auto plain = FindPlain(type)) {
      steps->push_back(*plain);
    } else {
      type_node.Fail(
          "Sequence, Lowercase, Strip, StripAccents, Precompiled, Replace, "
          "Prepend, BertNormalizer, Nmt, NFC, NFD, NFKC or NFKD (nothing else "
          "is supported here)");
    }
  }
}

}  // namespace

absl::StatusOr<Normalizer> ReadNormalizer(const JsonNode& node,
                                          const BertSettings* bert) {
  std::vector<Normalizer::Step> steps;
  if (node.present()) ReadStep(node, &steps);
  if (!node.ok()) return Normalizer();
  // A sequence keeps what it has.
  if (bert != nullptr && node.present() &&
      node.At("type").StringOr("") == "BertNormalizer") {
    steps.front() =
        bert->WithCleanText(std::get<BertNormalizer>(steps.front()).clean_text);
  }
  return Normalizer::Create(std::move(steps));
}

}  // namespace deberta::tokenizer
