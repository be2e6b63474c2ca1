// A file's bytes in memory that can be given back part by part.

#ifndef MODEL_CHECKPOINT_LOADED_FILE_H_
#define MODEL_CHECKPOINT_LOADED_FILE_H_

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "files/regular_file.h"

namespace deberta::model {

// Movable owner of the memory. What becomes of the file changes nothing.
class LoadedFile {
 public:
  // Errors of RegularFile, and ResourceExhausted if there is no memory for it.
  static absl::StatusOr<LoadedFile> Read(
      const std::string& path, const ByteObserver& observer = nullptr);

  LoadedFile(LoadedFile&& other) noexcept;
  LoadedFile& operator=(LoadedFile&& other) noexcept;
  ~LoadedFile();

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

  // DataLoss unless what is at path() is the file that was read.
  absl::Status CheckSame() const { return identity_.Check(path_); }

  // Gives the memory of the whole pages inside `range` back: they read as 0
  // from then on. REQUIRES: `range` lies within bytes().
  void Release(std::span<const std::byte> range) const;

 private:
  explicit LoadedFile(std::string path) : path_(std::move(path)) {}

  std::string path_;
  FileIdentity identity_;
  std::span<const std::byte> bytes_;
};

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_LOADED_FILE_H_
