#include "server/models/memory_room.h"

#include "absl/strings/str_cat.h"
#include "server/models/repository_listing.h"

namespace deberta::server {

absl::Status CheckRoom(size_t bytes, size_t held, std::optional<size_t> limit) {
  if (!limit.has_value() || (held <= *limit && bytes <= *limit - held))
    return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "takes about ", bytes, " bytes of memory to load; the server holds ",
      held, " of the cgroup's limit of ", *limit));
}

size_t DirectoryBytes(const std::string& directory) {
  const absl::StatusOr<DirectoryStamp> stamp = StampDirectory(directory);
  if (!stamp.ok()) return 0;
  size_t bytes = 0;
  for (const FileStamp& file : *stamp) bytes += file.bytes;
  return bytes;
}

}  // namespace deberta::server
