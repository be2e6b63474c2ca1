// What lies in a model repository: a directory of directories, each a model or
// the versions of one.
//
//   DIR/mine/config.json, ...       the model "mine"
//   DIR/other/1/config.json, ...    versions of the model "other"
//   DIR/other/2/config.json, ...

#ifndef SERVER_MODELS_REPOSITORY_LISTING_H_
#define SERVER_MODELS_REPOSITORY_LISTING_H_

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace deberta::server {

struct FileStamp {
  std::string name;
  uint64_t bytes = 0;
  // Of its status, which no one sets: also when its contents were put back as
  // old as those before.
  int64_t changed_ns = 0;
  uint64_t inode = 0;
  auto operator<=>(const FileStamp&) const = default;
};

// Of the files of one directory, by name: another stamp, another model.
using DirectoryStamp = std::vector<FileStamp>;

// By version; a model without versions has the only version 0.
using VersionStamps = std::map<int64_t, DirectoryStamp>;

struct RepositoryListing {
  std::map<std::string, VersionStamps> models;
  // Directories whose names no request could give, or with too many entries.
  std::set<std::string> unusable;
};

// The stamp of one directory's files, links followed; directories in it do not
// count. InvalidArgument if there are more files than a model ever has.
absl::StatusOr<DirectoryStamp> StampDirectory(const std::string& directory);

// Files in the repository itself, names that begin with '.', and directories
// without files are passed over. An error if the repository cannot be read.
absl::StatusOr<RepositoryListing> ListRepository(const std::string& directory);

// Where a version's files are.
std::string VersionDirectory(const std::string& repository,
                             const std::string& model, int64_t version);

}  // namespace deberta::server

#endif  // SERVER_MODELS_REPOSITORY_LISTING_H_
