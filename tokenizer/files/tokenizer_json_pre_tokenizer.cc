#include "tokenizer/files/tokenizer_json_pre_tokenizer.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

using Behavior = PreTokenizer::Behavior;

constexpr size_t kMaxLiteralBytes = 256;
constexpr size_t kMaxSteps = 32;
// Each makes up to four bytes of one.
constexpr size_t kMaxRespellings = 2;

Behavior ReadBehavior(const JsonNode& node, Behavior otherwise) {
  static constexpr std::pair<std::string_view, Behavior> kNames[] = {
      {"Removed", Behavior::kRemoved},
      {"Isolated", Behavior::kIsolated},
      {"MergedWithPrevious", Behavior::kMergedWithPrevious},
      {"MergedWithNext", Behavior::kMergedWithNext},
      {"Contiguous", Behavior::kContiguous}};
  if (!node.present()) return otherwise;
  const std::string name = node.String();
  for (const auto& [known, behavior] : kNames) {
    if (name == known) return behavior;
  }
  node.Fail(
      "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
  return otherwise;
}

absl::StatusOr<PreTokenizer::Split> ReadSplit(const JsonNode& node) {
  node.AllowOnly({"type", "pattern", "behavior", "invert"});
  const JsonNode pattern = node.At("pattern");
  pattern.AllowOnly({"String", "Regex"});
  PreTokenizer::Split split{
      .pattern = std::string(),
      .behavior = ReadBehavior(node.At("behavior"), Behavior::kIsolated),
      .invert = node.At("invert").BoolOr(false)};
  if (const JsonNode regex = pattern.At("Regex"); regex.present()) {
    absl::StatusOr<Regex> compiled = Regex::Compile(regex.String());
    if (!node.ok()) return split;
    if (!compiled.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("pre_tokenizer Split: ", compiled.status().message()));
    }
    split.pattern = *std::move(compiled);
    return split;
  }
  std::string literal = pattern.At("String").String();
  if (literal.empty() || literal.size() > kMaxLiteralBytes) {
    pattern.At("String").Fail(
        absl::StrCat("a text of 1 to ", kMaxLiteralBytes, " bytes"));
  }
  split.pattern = std::move(literal);
  return split;
}

PreTokenizer::Split ReadCharDelimiterSplit(const JsonNode& node) {
  node.AllowOnly({"type", "delimiter"});
  const JsonNode delimiter = node.At("delimiter");
  const std::string text = delimiter.String();
  if (CountCodePoints(text) != 1) delimiter.Fail("one character");
  return {.pattern = text, .behavior = Behavior::kRemoved};
}

PreTokenizer::ByteLevel ReadByteLevel(const JsonNode& node) {
  node.AllowOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  return {.add_prefix_space = node.At("add_prefix_space").BoolOr(true),
          .use_regex = node.At("use_regex").BoolOr(true)};
}

// InvalidArgument for a pattern.
absl::Status ReadStep(const JsonNode& node,
                      std::vector<PreTokenizer::Step>* steps) {
  using Characters = PreTokenizer::Characters;
  const JsonNode type_node = node.At("type");
  const std::string type = type_node.String();
  if (type == "BertPreTokenizer") {
    node.AllowOnly({"type"});
    steps->emplace_back(Characters{IsWhiteSpace, Behavior::kRemoved});
    steps->emplace_back(Characters{IsPunctuation, Behavior::kIsolated});
  } else if (type == "WhitespaceSplit") {
    node.AllowOnly({"type"});
    steps->emplace_back(Characters{IsWhiteSpace, Behavior::kRemoved});
  } else if (type == "Whitespace") {
    node.AllowOnly({"type"});
    steps->emplace_back(PreTokenizer::Whitespace{});
  } else if (type == "UnicodeScripts") {
    node.AllowOnly({"type"});
    steps->emplace_back(PreTokenizer::UnicodeScripts{});
  } else if (type == "Digits") {
    node.AllowOnly({"type", "individual_digits"});
    const bool individual = node.At("individual_digits").BoolOr(false);
    steps->emplace_back(
        Characters{IsNewestNumber,
                   individual ? Behavior::kIsolated : Behavior::kContiguous});
  } else if (type == "Punctuation") {
    node.AllowOnly({"type", "behavior"});
    steps->emplace_back(Characters{
        IsPunctuation, ReadBehavior(node.At("behavior"), Behavior::kIsolated)});
  } else if (type == "CharDelimiterSplit") {
    steps->emplace_back(ReadCharDelimiterSplit(node));
  } else if (type == "Split") {
    absl::StatusOr<PreTokenizer::Split> split = ReadSplit(node);
    if (!split.ok()) return split.status();
    steps->emplace_back(*std::move(split));
  } else if (type == "Metaspace") {
    steps->emplace_back(ReadMetaspace(node));
  } else if (type == "ByteLevel") {
    steps->emplace_back(ReadByteLevel(node));
  } else {
    type_node.Fail(
        "Sequence, BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, "
        "Metaspace, Punctuation, Split, UnicodeScripts, Whitespace or "
        "WhitespaceSplit (nothing else is supported here)");
  }
  return absl::OkStatus();
}

}  // namespace

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

std::vector<JsonNode> StepsOf(const JsonNode& node, const char* key) {
  if (node.At("type").StringOr("") != "Sequence") return {node};
  node.AllowOnly({"type", key});
  std::vector<JsonNode> steps = node.At(key).Elements();
  if (steps.size() <= kMaxSteps) return steps;
  node.Fail(absl::StrCat("at most ", kMaxSteps, " steps"));
  return {};
}

absl::StatusOr<PreTokenizer> ReadPreTokenizer(
    const JsonNode& node, std::optional<bool> add_prefix_space) {
  std::vector<PreTokenizer::Step> steps;
  if (!node.present()) return PreTokenizer(std::move(steps));
  for (const JsonNode& step : StepsOf(node, "pretokenizers")) {
    const absl::Status status = ReadStep(step, &steps);
    if (!status.ok()) return status;
    if (!node.ok()) break;
  }
  const auto respellings =
      std::count_if(steps.begin(), steps.end(), [](const auto& step) {
        return std::holds_alternative<Metaspace>(step) ||
               std::holds_alternative<PreTokenizer::ByteLevel>(step);
      });
  if (static_cast<size_t>(respellings) > kMaxRespellings) {
    node.Fail(absl::StrCat("at most ", kMaxRespellings,
                           " of Metaspace and ByteLevel"));
  }
  const bool alone = node.At("type").StringOr("") != "Sequence";
  if (alone && add_prefix_space && !steps.empty()) {
    if (auto* bytes = std::get_if<PreTokenizer::ByteLevel>(&steps.front())) {
      bytes->add_prefix_space = *add_prefix_space;
    }
  }
  return PreTokenizer(std::move(steps));
}

}  // namespace deberta::tokenizer
