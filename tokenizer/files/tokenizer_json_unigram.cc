#include "tokenizer/files/tokenizer_json_unigram.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenizer/files/tokenizer_json_normalizer.h"
#include "tokenizer/files/tokenizer_json_pre_tokenizer.h"

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

void ReadModel(const JsonNode& model, HfUnigramOptions* options) {
  model.AllowOnly({"type", "unk_id", "vocab", "byte_fallback"});
  options->pieces = ReadPieces(model.At("vocab"));
  for (auto& [piece, score] : options->pieces) score = AsSerdeReads(score);
  options->unk_id = model.At("unk_id").Int32();
  options->byte_fallback = model.At("byte_fallback").BoolOr(false);
}

// Punctuation, each character a piece.
bool IsIsolatingPunctuation(const JsonNode& node) {
  return node.is_object() && node.At("type").StringOr("") == "Punctuation" &&
         node.At("behavior").StringOr("Isolated") == "Isolated";
}

bool IsMetaspace(const JsonNode& node) {
  return node.is_object() && node.At("type").StringOr("") == "Metaspace";
}

}  // namespace

bool IsSentencePiecePipeline(const JsonNode& root) {
  const JsonNode pre_tokenizer = root.At("pre_tokenizer");
  if (!IsMetaspace(root.At("decoder"))) return false;
  if (IsMetaspace(pre_tokenizer)) return true;
  if (!pre_tokenizer.is_object() ||
      pre_tokenizer.At("type").StringOr("") != "Sequence") {
    return false;
  }
  const auto steps = pre_tokenizer.At("pretokenizers").Elements();
  return !steps.empty() && steps.size() <= 2 && IsMetaspace(steps.back()) &&
         (steps.size() == 1 || IsIsolatingPunctuation(steps.front()));
}

absl::StatusOr<std::unique_ptr<HfUnigram>> ReadUnigramModel(
    const JsonNode& model) {
  HfUnigramOptions options;
  ReadModel(model, &options);
  if (!model.ok()) return nullptr;
  return HfUnigram::Create(std::move(options));
}

absl::StatusOr<std::unique_ptr<HfUnigram>> ReadUnigram(const JsonNode& root) {
  HfUnigramOptions options;
  ReadModel(root.At("model"), &options);
  const JsonNode pre_tokenizer = root.At("pre_tokenizer");
  if (IsMetaspace(pre_tokenizer)) {
    options.pre_tokenizer = ReadMetaspace(pre_tokenizer);
  } else {
    pre_tokenizer.AllowOnly({"type", "pretokenizers"});
    const auto steps = pre_tokenizer.At("pretokenizers").Elements();
    options.split_by_punct = steps.size() == 2;
    if (options.split_by_punct) steps.front().AllowOnly({"type", "behavior"});
    if (!steps.empty()) options.pre_tokenizer = ReadMetaspace(steps.back());
  }
  options.decoder = ReadMetaspace(root.At("decoder"));
  auto normalizer = ReadNormalizer(root.At("normalizer"));
  if (!root.ok()) return nullptr;
  if (!normalizer.ok()) return normalizer.status();
  options.normalizer = *std::move(normalizer);
  return HfUnigram::Create(std::move(options));
}

absl::StatusOr<std::unique_ptr<HfUnigram>> ReadHf5Unigram(
    const JsonNode& root, const Hf5Settings& settings) {
  std::vector<std::pair<std::string, double>> pieces =
      ReadPieces(root.At("model").At("vocab"));
  if (!root.ok()) return nullptr;
  return HfUnigram::Create(MakeHf5Unigram(std::move(pieces), settings));
}

}  // namespace deberta::tokenizer
