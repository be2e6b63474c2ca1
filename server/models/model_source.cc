#include "server/models/model_source.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "model/checkpoint/checkpoint.h"

namespace deberta::server {
namespace {

constexpr size_t kMaxNameLength = 64;
constexpr std::string_view kGenerator = ":generator";

// "three" of "one/two/three/".
std::string LastPart(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path.substr(path.rfind('/') + 1);
}

ModelSource ParseSource(const std::string& part) {
  const size_t equals = part.find('=');
  const bool named = equals != std::string::npos;
  ModelSource source = {.name = named ? part.substr(0, equals) : std::string(),
                        .directory = named ? part.substr(equals + 1) : part};
  std::string suffix;
  std::error_code ignored;
  if (source.directory.ends_with(kGenerator) &&
      !std::filesystem::is_directory(source.directory, ignored)) {
    source.directory.resize(source.directory.size() - kGenerator.size());
    source.variant = model::WeightsVariant::kGenerator;
    suffix = "-generator";
  }
  if (!named) source.name = LastPart(source.directory) + suffix;
  return source;
}

// A repository of the Hugging Face hub: "microsoft/deberta-v3-base".
struct HubName {
  std::string repository;
  std::string revision;  // "" unless there is one, after '@'
};

bool IsHubWord(std::string_view word) {
  return IsModelName(word) && word.front() != '.' && word.front() != '-';
}

// What `path` names on the hub, if it may: owner/name, also with @revision, as
// a URL of the hub's, or with the revision at the URL's end.
std::optional<HubName> ParseHubName(std::string_view path) {
  for (const std::string_view start :
       {"https://", "http://", "hf://", "huggingface.co/", "hf.co/"}) {
    if (path.starts_with(start)) path.remove_prefix(start.size());
  }
  HubName name;
  const std::vector<std::string> at =
      absl::StrSplit(absl::string_view(path.data(), path.size()), '@');
  std::vector<std::string> parts =
      absl::StrSplit(at[0], '/', absl::SkipEmpty());
  if (at.size() == 2) name.revision = at[1];
  if (parts.size() == 4 && (parts[2] == "tree" || parts[2] == "blob")) {
    name.revision = parts[3];
    parts.resize(2);
  }
  if (at.size() > 2 || parts.size() != 2 || path.starts_with('/') ||
      !IsHubWord(parts[0]) || !IsHubWord(parts[1]) ||
      (!name.revision.empty() && !IsHubWord(name.revision))) {
    return std::nullopt;
  }
  name.repository = parts[0] + "/" + parts[1];
  return name;
}

absl::Status NoSuchDirectory(const std::string& path) {
  constexpr std::string_view kExpected =
      "expected a directory with config.json, weights and a tokenizer";
  const std::string expected(kExpected);
  const std::optional<HubName> hub = ParseHubName(path);
  if (!hub.has_value()) {
    const bool url = path.find("://") != std::string::npos;
    return absl::NotFoundError(
        url ? absl::StrCat("a URL; ", expected,
                           " on this machine: models are not downloaded")
            : absl::StrCat("no such directory; ", expected));
  }
  const std::string target = LastPart(hub->repository);
  return absl::NotFoundError(absl::StrCat(
      "no such directory; ", expected, ". If this is the model ",
      hub->repository,
      " of the Hugging Face hub: models are not downloaded "
      "here; run `hf download ",
      hub->repository, hub->revision.empty() ? "" : " --revision ",
      hub->revision, " --local-dir ", target, "` and give --models=", target));
}

}  // namespace

absl::Status InModel(const ModelSource& source, const absl::Status& status) {
  return absl::Status(
      status.code(), absl::StrCat("model ", source.name, " (", source.directory,
                                  "): ", status.message()));
}

bool IsModelName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameLength &&
         std::ranges::all_of(name, [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '.' || c == '_' || c == '-';
         });
}

absl::Status CheckDirectory(const ModelSource& source) {
  const std::filesystem::path directory = source.directory;
  std::error_code error;
  const auto status = std::filesystem::status(directory, error);
  if (!std::filesystem::exists(status)) {
    if (status.type() == std::filesystem::file_type::not_found) {
      return NoSuchDirectory(source.directory);
    }
    return absl::NotFoundError(
        absl::StrCat("cannot be looked at: ", error.message()));
  }
  if (!std::filesystem::is_directory(status)) {
    return absl::NotFoundError(
        "a file; expected the directory that holds config.json, weights and a "
        "tokenizer");
  }
  const std::string config(model::ConfigFileName(source.variant));
  // Beside a model's weights too: transformers adds it to them.
  if (std::filesystem::exists(directory / "adapter_config.json", error)) {
    return absl::NotFoundError(
        "adapter_config.json says that it is an adapter: merge it into its "
        "model (peft's merge_and_unload), and save that without the file");
  }
  if (std::filesystem::exists(directory / config, error) ||
      (source.variant == model::WeightsVariant::kMain &&
       model::IsGliner(source.directory))) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(
      absl::StrCat("there is no ", config,
                   " (of GLiNER: gliner_config.json) in it; expected a "
                   "directory with config.json, weights and "
                   "a tokenizer"));
}

absl::StatusOr<std::vector<ModelSource>> ParseModels(std::string_view models) {
  if (models.empty()) {
    return absl::InvalidArgumentError(
        "--models is required, or --model_repository=DIR: "
        "[name=]DIR[,[name=]DIR...]");
  }
  const std::string list(models);
  std::vector<ModelSource> sources;
  for (const std::string& part :
       std::vector<std::string>(absl::StrSplit(list, ','))) {
    ModelSource source = ParseSource(part);
    if (source.directory.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--models: expected [name=]DIR[,...], got \"", list, "\""));
    }
    if (!IsModelName(source.name)) {
      const bool named = part.find('=') != std::string::npos;
      if (!named && ParseHubName(source.directory).has_value()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--models: ", source.directory, ": ",
                         NoSuchDirectory(source.directory).message()));
      }
      return absl::InvalidArgumentError(
          absl::StrCat("--models: expected a name of 1 to ", kMaxNameLength,
                       " letters, digits, '.', '_' or '-', got \"", source.name,
                       "\" for ", source.directory, " (give one as name=DIR)"));
    }
    if (std::ranges::find(sources, source.name, &ModelSource::name) !=
        sources.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--models: two models are named \"", source.name, "\""));
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace deberta::server
