#include "tokenizer/files/vocabulary_json.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/files/json_reader.h"
#include "tokenizer/files/raw_files.h"
#include "tokenizer/files/tokenizer_files.h"
#include "tokenizer/files/tokenizer_json.h"

namespace deberta::tokenizer {
namespace {

using Vocabulary = std::vector<std::pair<std::string, int32_t>>;

absl::StatusOr<std::string> Write(const std::string& target, const char* name,
                                  std::string_view bytes) {
  const std::string path = (std::filesystem::path(target) / name).string();
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  if (!file) {
    return absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
  }
  return path;
}

std::string VocabularyText(Vocabulary vocabulary) {
  std::sort(vocabulary.begin(), vocabulary.end(),
            [](const auto& a, const auto& b) { return a.second < b.second; });
  std::string text = "{";
  for (const auto& [token, id] : vocabulary) {
    absl::StrAppend(&text, text.size() > 1 ? "," : "",
                    nlohmann::json(token).dump(), ":", id);
  }
  return text + "}";
}

std::string MergesText(const Merges& merges) {
  std::string text = "#version: 0.2\n";
  for (const auto& [left, right] : merges) {
    absl::StrAppend(&text, left, " ", right, "\n");
  }
  return text;
}

absl::StatusOr<std::vector<std::string>> WriteBpe(const std::string& target,
                                                  Vocabulary vocabulary,
                                                  const Merges& merges) {
  auto vocab =
      Write(target, "vocab.json", VocabularyText(std::move(vocabulary)));
  if (!vocab.ok()) return vocab.status();
  auto merged = Write(target, "merges.txt", MergesText(merges));
  if (!merged.ok()) return merged.status();
  return std::vector<std::string>{*std::move(vocab), *std::move(merged)};
}

absl::StatusOr<std::vector<std::string>> SaveRaw(const TokenizerFiles& files,
                                                 const std::string& target) {
  const auto document = JsonDocument::Parse("vocab.json", files.model);
  if (!document.ok()) return document.status();
  Vocabulary vocabulary = ReadVocabulary(document->root());
  if (!document->error().ok()) return document->error();
  const absl::StatusOr<Merges> merges = ParseMerges(files.merges);
  if (!merges.ok()) return merges.status();
  return WriteBpe(target, std::move(vocabulary), *merges);
}

absl::StatusOr<std::vector<std::string>> SaveSpm(const std::string& directory,
                                                 const std::string& target) {
  const auto files = ReadTokenizerFiles(directory, Profile::kSpm);
  if (!files.ok()) return files.status();
  auto path = Write(target, "spm.model", files->model);
  if (!path.ok()) return path.status();
  return std::vector<std::string>{*std::move(path)};
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SaveVocabulary(
    const std::string& directory, const std::string& target) {
  const auto files = ReadTokenizerFiles(directory, Profile::kHf4);
  if (!files.ok()) return files.status();
  if (files->source == TokenizerSource::kVocabAndMerges) {
    return SaveRaw(*files, target);
  }
  if (files->source == TokenizerSource::kSpm) return SaveSpm(directory, target);
  const auto document = JsonDocument::Parse("tokenizer.json", files->model);
  if (!document.ok()) return document.status();
  const JsonNode model = document->root().At("model");
  if (model.At("type").StringOr("") == "Unigram") {
    auto saved = SaveSpm(directory, target);
    if (!absl::IsNotFound(saved.status())) return saved;
    return absl::InvalidArgumentError(
        absl::StrCat(directory,
                     ": a vocabulary of pieces is saved as spm.model, which is "
                     "not there"));
  }
  Vocabulary vocabulary = ReadVocabulary(model.At("vocab"));
  const Merges merges = ReadMerges(model.At("merges"));
  if (!document->error().ok()) return document->error();
  return WriteBpe(target, std::move(vocabulary), merges);
}

}  // namespace deberta::tokenizer
