#include "tokenizer/files/tokenizer_files.h"

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "files/regular_file.h"
#include "tokenizer/files/json_reader.h"

namespace deberta::tokenizer {
namespace {

constexpr char kTokenizerJson[] = "tokenizer.json";
constexpr char kVocab[] = "vocab.json";
constexpr char kMerges[] = "merges.txt";
constexpr char kSpm[] = "spm.model";
constexpr char kVocabTxt[] = "vocab.txt";
constexpr char kTokenizerConfig[] = "tokenizer_config.json";
constexpr char kConfig[] = "config.json";

// The largest file of a released DeBERTa is a tokenizer.json of 17 MB.
constexpr size_t kMaxFileBytes = size_t{256} << 20;

class Directory {
 public:
  explicit Directory(const std::string& path) : path_(path) {}

  bool Has(const char* name) const {
    std::error_code error;
    return std::filesystem::exists(PathOf(name), error);
  }

  absl::StatusOr<std::string> Read(const char* name) const {
    return ReadSmallFile(PathOf(name), kMaxFileBytes);
  }

  absl::Status ReadIfThere(const char* name,
                           std::optional<std::string>* bytes) const {
    if (!Has(name)) return absl::OkStatus();
    absl::StatusOr<std::string> read = Read(name);
    if (read.ok()) *bytes = *std::move(read);
    return read.status();
  }

  const std::string& path() const { return path_; }

 private:
  std::string PathOf(const char* name) const {
    return (std::filesystem::path(path_) / name).string();
  }

  const std::string& path_;
};

// What a file says of the family; nullopt if nothing.
std::optional<TokenizerSource> FamilyIn(const JsonNode& root) {
  const std::string name = root.At("tokenizer_class").StringOr("");
  if (name.starts_with("Bert")) return TokenizerSource::kVocabTxt;
  if (name.starts_with("DebertaV2")) return TokenizerSource::kSpm;
  if (name.starts_with("Deberta")) return TokenizerSource::kVocabAndMerges;
  const std::string type = root.At("model_type").StringOr("");
  if (type == "deberta-v2") return TokenizerSource::kSpm;
  if (type == "deberta") return TokenizerSource::kVocabAndMerges;
  return std::nullopt;
}

// For a directory with the raw files of several families.
absl::StatusOr<TokenizerSource> ChooseFamily(const Directory& directory) {
  for (const char* name : {kTokenizerConfig, kConfig}) {
    if (!directory.Has(name)) continue;
    const absl::StatusOr<std::string> bytes = directory.Read(name);
    if (!bytes.ok()) return bytes.status();
    const auto document = JsonDocument::Parse(name, *bytes);
    if (!document.ok()) return document.status();
    const auto family = FamilyIn(document->root());
    if (!document->error().ok()) return document->error();
    if (family.has_value()) return *family;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      directory.path(), ": has several of ", kVocab, " and ", kMerges, ", ",
      kSpm, " and ", kVocabTxt, "; expected \"tokenizer_class\" in ",
      kTokenizerConfig, " or ", "\"model_type\" in ", kConfig,
      " to tell which counts"));
}

// Its class, in Python, does not read tokenizer.json.
absl::StatusOr<bool> ReadsVocabTxtAlone(const Directory& directory) {
  if (!directory.Has(kVocabTxt) || !directory.Has(kTokenizerConfig)) {
    return false;
  }
  const absl::StatusOr<std::string> bytes = directory.Read(kTokenizerConfig);
  if (!bytes.ok()) return bytes.status();
  const auto document = JsonDocument::Parse(kTokenizerConfig, *bytes);
  if (!document.ok()) return document.status();
  const bool japanese = document->root().At("tokenizer_class").StringOr("") ==
                        "BertJapaneseTokenizer";
  if (!document->error().ok()) return document->error();
  return japanese;
}

absl::StatusOr<TokenizerSource> ChooseSource(const Directory& directory,
                                             std::optional<Profile> profile) {
  const bool spm = directory.Has(kSpm);
  if (profile == Profile::kSpm) {
    if (spm) return TokenizerSource::kSpm;
    return absl::NotFoundError(
        absl::StrCat(directory.path(), ": expected ", kSpm,
                     ", which the tokenizer profile \"spm\" needs"));
  }
  if (directory.Has(kTokenizerJson)) {
    const absl::StatusOr<bool> vocab_txt = ReadsVocabTxtAlone(directory);
    if (!vocab_txt.ok()) return vocab_txt.status();
    return *vocab_txt ? TokenizerSource::kVocabTxt
                      : TokenizerSource::kTokenizerJson;
  }
  std::vector<TokenizerSource> found;
  if (directory.Has(kVocab) && directory.Has(kMerges)) {
    found.push_back(TokenizerSource::kVocabAndMerges);
  }
  if (spm) found.push_back(TokenizerSource::kSpm);
  if (directory.Has(kVocabTxt)) found.push_back(TokenizerSource::kVocabTxt);
  if (found.size() == 1) return found.front();
  if (found.size() > 1) return ChooseFamily(directory);
  return absl::NotFoundError(absl::StrCat(
      directory.path(), ": expected ", kTokenizerJson, ", or ", kVocab, " and ",
      kMerges, ", or ", kSpm, ", or ", kVocabTxt, "; found none of them"));
}

const char* FileOf(TokenizerSource source) {
  switch (source) {
    case TokenizerSource::kTokenizerJson:
      return kTokenizerJson;
    case TokenizerSource::kVocabAndMerges:
      return kVocab;
    case TokenizerSource::kSpm:
      return kSpm;
    case TokenizerSource::kVocabTxt:
      break;
  }
  return kVocabTxt;
}

}  // namespace

absl::StatusOr<TokenizerFiles> ReadTokenizerFiles(
    const std::string& path, std::optional<Profile> profile) {
  const Directory directory(path);
  const auto source = ChooseSource(directory, profile);
  if (!source.ok()) return source.status();
  TokenizerFiles files;
  files.source = *source;
  const bool vocab = *source == TokenizerSource::kVocabAndMerges;
  auto model = directory.Read(FileOf(*source));
  if (!model.ok()) return model.status();
  files.model = *std::move(model);
  if (vocab) {
    auto merges = directory.Read(kMerges);
    if (!merges.ok()) return merges.status();
    files.merges = *std::move(merges);
  }
  for (const auto& [name, bytes] :
       {std::pair{kTokenizerConfig, &files.tokenizer_config},
        std::pair{"special_tokens_map.json", &files.special_tokens_map},
        std::pair{"added_tokens.json", &files.added_tokens},
        std::pair{kConfig, &files.config}}) {
    const absl::Status status = directory.ReadIfThere(name, bytes);
    if (!status.ok()) return status;
  }
  return files;
}

}  // namespace deberta::tokenizer
