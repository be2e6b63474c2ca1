#include "tokenizer/files/tokenizer_json_unigram.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

// The `tokenizers` library reads a number as its digits over a power of ten,
// both rounded to double, which can be off by the last bit (serde_json without
// "float_roundtrip"). Equally good paths are told apart by that bit. The digits
// are those that serde_json writes: the fewest that tell the number.
double AsSerdeReads(double value) {
  std::array<char, 32> text{};
  const auto printed =
      std::to_chars(text.data(), text.data() + text.size(), std::abs(value),
                    std::chars_format::scientific);
  uint64_t digits = 0;
  int exponent = 0;
  bool fraction = false;
  const char* at = text.data();
  for (; at < printed.ptr && *at != 'e'; ++at) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    digits = digits * 10 + static_cast<uint64_t>(*at - '0');
    exponent -= fraction ? 1 : 0;
  }
  const bool below_one = at + 1 < printed.ptr && at[1] == '-';
  int printed_exponent = 0;
  if (at + 2 < printed.ptr) {
    std::from_chars(at + 2, printed.ptr, printed_exponent);
  }
  exponent += below_one ? -printed_exponent : printed_exponent;
  const std::string power_text = absl::StrCat("1e", std::abs(exponent));
  double power = 0;
  std::from_chars(power_text.data(), power_text.data() + power_text.size(),
                  power);
  const auto significand = static_cast<double>(digits);
  // Beyond the table of powers, no score of a vocabulary is.
  if (power == 0 || !std::isfinite(power)) return value;
  const double read = exponent < 0 ? significand / power : significand * power;
  return std::copysign(read, value);
}

std::vector<std::pair<std::string, double>> ReadPieces(const JsonNode& node) {
  std::vector<std::pair<std::string, double>> pieces;
  if (!node.present() || !node.value()->is_array()) {
    node.Fail("an array");
    return pieces;
  }
  pieces.reserve(node.value()->size());
  for (const nlohmann::json& entry : *node.value()) {
    const bool pair = entry.is_array() && entry.size() == 2 &&
                      entry[0].is_string() && entry[1].is_number();
    if (!pair) {
      node.Fail(absl::StrCat("[piece, score] as element ", pieces.size()));
      return pieces;
    }
    pieces.emplace_back(*entry[0].get_ptr<const std::string*>(),
                        entry[1].get<double>());
  }
  return pieces;
}

void ReadNormalizer(const JsonNode& node,
                    std::vector<Normalizer::Step>* steps) {
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
      ReadNormalizer(step, steps);
    }
  } else if (type == "Lowercase") {
    node.AllowOnly({"type"});
    steps->emplace_back(Normalizer::Lowercase{});
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
  } else if (type == "NFC") {
    node.AllowOnly({"type"});
    steps->emplace_back(Normalizer::Nfc{});
  } else {
    type_node.Fail(
        "Sequence, Lowercase, Strip, Precompiled, Replace or NFC (nothing else "
        "is supported here)");
  }
}

Metaspace ReadMetaspace(const JsonNode& node) {
  Metaspace metaspace;
  if (!node.IsOfType("Metaspace")) return metaspace;
  node.AllowOnly({"type", "replacement", "add_prefix_space", "prepend_scheme",
                  "split", "str_rep"});
  const JsonNode replacement = node.At("replacement");
  if (const std::string text = replacement.String();
      CountCodePoints(text) == 1) {
    size_t position = 0;
    metaspace.replacement = DecodeUtf8(text, &position);
  } else {
    replacement.Fail("one character");
  }
  const JsonNode scheme = node.At("prepend_scheme");
  const std::string name = scheme.StringOr("always");
  if (name == "always") {
    metaspace.prepend_scheme = Metaspace::PrependScheme::kAlways;
  } else if (name == "first") {
    metaspace.prepend_scheme = Metaspace::PrependScheme::kFirst;
  } else if (name == "never") {
    metaspace.prepend_scheme = Metaspace::PrependScheme::kNever;
  } else {
    scheme.Fail("\"always\", \"first\" or \"never\"");
  }
  // The older spelling says nothing more, but must not contradict.
  const JsonNode old_spelling = node.At("add_prefix_space");
  if (!old_spelling.BoolOr(true) && name != "never") {
    old_spelling.Fail("true, or prepend_scheme \"never\"");
  }
  metaspace.split = node.At("split").BoolOr(true);
  return metaspace;
}

void ReadPunctuation(const JsonNode& node) {
  if (!node.IsOfType("Punctuation")) return;
  node.AllowOnly({"type", "behavior"});
  const JsonNode behavior = node.At("behavior");
  if (behavior.StringOr("Isolated") != "Isolated")
    behavior.Fail("\"Isolated\"");
}

void ReadPreTokenizer(const JsonNode& node, UnigramOptions* options) {
  if (node.At("type").StringOr("") != "Sequence") {
    options->pre_tokenizer = ReadMetaspace(node);
    return;
  }
  node.AllowOnly({"type", "pretokenizers"});
  const JsonNode list = node.At("pretokenizers");
  const std::vector<JsonNode> steps = list.Elements();
  if (steps.empty() || steps.size() > 2) {
    list.Fail("[Metaspace] or [Punctuation, Metaspace]");
    return;
  }
  options->split_by_punct = steps.size() == 2;
  if (options->split_by_punct) ReadPunctuation(steps.front());
  options->pre_tokenizer = ReadMetaspace(steps.back());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Unigram>> ReadUnigram(const JsonNode& root) {
  UnigramOptions options;
  const JsonNode model = root.At("model");
  model.AllowOnly({"type", "unk_id", "vocab", "byte_fallback"});
  options.pieces = ReadPieces(model.At("vocab"));
  for (auto& [piece, score] : options.pieces) score = AsSerdeReads(score);
  options.unk_id = model.At("unk_id").Int32();
  options.byte_fallback = model.At("byte_fallback").BoolOr(false);
  ReadPreTokenizer(root.At("pre_tokenizer"), &options);
  options.decoder = ReadMetaspace(root.At("decoder"));
  std::vector<Normalizer::Step> steps;
  if (const JsonNode normalizer = root.At("normalizer"); normalizer.present()) {
    ReadNormalizer(normalizer, &steps);
  }
  if (!root.ok()) return nullptr;
  auto normalizer = Normalizer::Create(std::move(steps));
  if (!normalizer.ok()) return normalizer.status();
  options.normalizer = *std::move(normalizer);
  return Unigram::Create(std::move(options));
}

absl::StatusOr<std::unique_ptr<Unigram>> ReadHf5Unigram(
    const JsonNode& root, const Hf5Settings& settings) {
  std::vector<std::pair<std::string, double>> pieces =
      ReadPieces(root.At("model").At("vocab"));
  if (!root.ok()) return nullptr;
  return Unigram::Create(MakeHf5Unigram(std::move(pieces), settings));
}

}  // namespace deberta::tokenizer
