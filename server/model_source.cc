#include "server/model_source.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace deberta::server {
namespace {

constexpr size_t kMaxNameLength = 64;
constexpr std::string_view kGenerator = ":generator";

bool IsModelName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameLength &&
         std::ranges::all_of(name, [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '.' || c == '_' || c == '-';
         });
}

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

}  // namespace

absl::StatusOr<std::vector<ModelSource>> ParseModels(std::string_view models) {
  if (models.empty()) {
    return absl::InvalidArgumentError(
        "--models is required: [name=]DIR[,[name=]DIR...]");
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
