#include "server/models/repository_listing.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/models/model_source.h"

namespace deberta::server {
namespace {

constexpr size_t kMostModels = 256;
constexpr size_t kMostVersions = 256;
constexpr size_t kMostFiles = 1024;
// Of an int64_t.
constexpr size_t kMostDigits = 18;

// Names of what the directory holds, but for those that begin with '.'.
absl::StatusOr<std::vector<std::string>> Entries(const std::string& directory,
                                                 size_t most) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(directory.c_str()),
                                                 &closedir);
  if (open == nullptr) return absl::ErrnoToStatus(errno, directory);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(open.get())) {
    if (entry->d_name[0] == '.') continue;
    if (names.size() == most) {
      return absl::InvalidArgumentError(
          absl::StrCat(directory, ": expected at most ", most, " entries"));
    }
    names.push_back(entry->d_name);
  }
  std::ranges::sort(names);
  return names;
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// "12"; "012" would be a second directory for the same version.
bool IsVersion(const std::string& name, int64_t* version) {
  return name.size() <= kMostDigits && name.front() != '0' &&
         std::ranges::all_of(
             name,
             [](char c) {
               return absl::ascii_isdigit(static_cast<unsigned char>(c));
             }) &&
         absl::SimpleAtoi(name, version);
}

absl::StatusOr<VersionStamps> StampVersions(const std::string& directory) {
  const auto names = Entries(directory, kMostFiles + kMostVersions);
  if (!names.ok()) return names.status();
  VersionStamps versions;
  bool has_versions = false;
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    int64_t version = 0;
    if (!IsVersion(name, &version) || !IsDirectory(path)) continue;
    has_versions = true;
    absl::StatusOr<DirectoryStamp> stamp = StampDirectory(path);
    if (!stamp.ok() || stamp->empty()) continue;
    versions.emplace(version, *std::move(stamp));
  }
  if (has_versions) return versions;
  absl::StatusOr<DirectoryStamp> stamp = StampDirectory(directory);
  if (!stamp.ok()) return stamp.status();
  if (!stamp->empty()) versions.emplace(0, *std::move(stamp));
  return versions;
}

}  // namespace

absl::StatusOr<DirectoryStamp> StampDirectory(const std::string& directory) {
  const auto names = Entries(directory, kMostFiles);
  if (!names.ok()) return names.status();
  DirectoryStamp stamp;
  for (const std::string& name : *names) {
    struct stat info;
    // One that is gone by now is not there; a FIFO or a device counts, so that
    // loading says what is wrong with it.
    if (stat((directory + "/" + name).c_str(), &info) != 0 ||
        S_ISDIR(info.st_mode)) {
      continue;
    }
    stamp.push_back({.name = name,
                     .bytes = static_cast<uint64_t>(info.st_size),
                     .changed_ns = int64_t{info.st_ctim.tv_sec} * 1000000000 +
                                   info.st_ctim.tv_nsec,
                     .inode = info.st_ino});
  }
  return stamp;
}

absl::StatusOr<RepositoryListing> ListRepository(const std::string& directory) {
  const auto names = Entries(directory, kMostModels);
  if (!names.ok()) return names.status();
  RepositoryListing listing;
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    if (!IsDirectory(path)) continue;
    absl::StatusOr<VersionStamps> versions = StampVersions(path);
    if (absl::IsNotFound(versions.status())) continue;  // gone by now
    if (!IsModelName(name) || !versions.ok()) {
      listing.unusable.insert(name);
    } else if (!versions->empty()) {
      listing.models.emplace(name, *std::move(versions));
    }
  }
  return listing;
}

std::string VersionDirectory(const std::string& repository,
                             const std::string& model, int64_t version) {
  if (version == 0) return absl::StrCat(repository, "/", model);
  return absl::StrCat(repository, "/", model, "/", version);
}

}  // namespace deberta::server
