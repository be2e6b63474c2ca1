// A file mapped read-only.

#ifndef MODEL_CHECKPOINT_MAPPED_FILE_H_
#define MODEL_CHECKPOINT_MAPPED_FILE_H_

#include <time.h>

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace deberta::model {

// Movable owner of one mapping; unmapped on destruction.
class MappedFile {
 public:
  // NotFound or PermissionDenied as the system says; an empty file maps to an
  // empty span.
  static absl::StatusOr<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

  // DataLoss if the file was written to or cut short since it was
  // mapped: what is read from bytes() may be new, and reading beyond a cut ends
  // the process (SIGBUS). A file that was replaced by another of its name, or
  // deleted, is unchanged.
  absl::Status CheckUnchanged() const;

  // Gives the whole pages inside `range` back to the kernel (madvise).
  // REQUIRES: `range` lies within bytes().
  void Release(std::span<const std::byte> range) const;

 private:
  explicit MappedFile(std::string path) : path_(std::move(path)) {}

  std::string path_;
  int descriptor_ = -1;
  timespec modified_ = {};
  std::span<const std::byte> bytes_;
};

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_MAPPED_FILE_H_
