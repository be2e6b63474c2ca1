#include "tokenizer/files/vocab_and_merges.h"

#include <optional>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/segmentation/byte_level_bpe.h"
#include "tokenizer/segmentation/vocabulary.h"

namespace deberta::tokenizer {
namespace {

absl::StatusOr<Merges> ParseMerges(std::string_view text) {
  Merges merges;
  absl::flat_hash_set<std::string> seen;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0 ||
        space + 1 == line.size() || line.find(' ', space + 1) != line.npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("merges.txt: line ", number,
                       ": expected two tokens with a space between, got ",
                       line.size(), " bytes"));
    }
    if (!seen.emplace(line).second) continue;
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
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
        *id >= Vocabulary::kMaxIds) {
      node.At(entry.key()).Fail("a vocabulary id");
      return vocabulary;
    }
    vocabulary.emplace_back(entry.key(), static_cast<int32_t>(*id));
  }
  return vocabulary;
}

absl::StatusOr<TokenizerDefinition> ReadVocabAndMerges(
    const JsonDocument& vocab, std::string_view merges, bool add_prefix_space) {
  absl::StatusOr<Merges> pairs = ParseMerges(merges);
  if (!pairs.ok()) return pairs.status();
  const ByteLevelBpeOptions options{.vocabulary = ReadVocabulary(vocab.root()),
                                    .merges = *std::move(pairs),
                                    .unk_token = std::nullopt,
                                    .add_prefix_space = add_prefix_space};
  if (!vocab.error().ok()) return vocab.error();
  auto bpe = ByteLevelBpe::Create(options);
  if (!bpe.ok()) return InFile("vocab.json, merges.txt", bpe.status());
  TokenizerDefinition definition;
  definition.segmenter = *std::move(bpe);
  definition.byte_level = true;
  definition.vocabulary_entries =
      static_cast<int32_t>(options.vocabulary.size());
  return definition;
}

}  // namespace deberta::tokenizer
