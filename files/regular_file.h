// Files that somebody else may replace, overwrite or cut short at any time.
//
// They are copied into memory of our own and never mapped: a mapped file that
// is cut short ends the process (SIGBUS), and one that is overwritten changes
// under whoever has checked it.

#ifndef FILES_REGULAR_FILE_H_
#define FILES_REGULAR_FILE_H_

#include <sys/stat.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace deberta {

// Told the bytes of a file in order, part by part, on a thread of its own while
// the next part is read; the span is valid as long as the memory read into.
using ByteObserver = std::function<void(std::span<const std::byte>)>;

// What tells a file, and its contents, from another that is put in its place.
class FileIdentity {
 public:
  FileIdentity() = default;
  explicit FileIdentity(const struct stat& info) : info_(info) {}

  size_t size() const { return static_cast<size_t>(info_.st_size); }
  // DataLoss unless it is what `now` tells of; the system's error if nothing
  // is at the path.
  absl::Status Compare(const std::string& path, const struct stat& now) const;
  absl::Status Check(const std::string& path) const;

 private:
  struct stat info_ = {};
};

// Movable owner of a descriptor. All errors name the path.
class RegularFile {
 public:
  // Never waits: for a writer of a FIFO neither. The system's error, or
  // InvalidArgument if there is something else than a regular file.
  static absl::StatusOr<RegularFile> Open(const std::string& path);
  RegularFile(RegularFile&& other) noexcept;
  RegularFile& operator=(RegularFile&&) = delete;
  ~RegularFile();

  // Bytes when it was opened.
  size_t size() const { return identity_.size(); }
  const FileIdentity& identity() const { return identity_; }

  // Reads the whole file. DataLoss if it was cut short, or written to since it
  // was opened. REQUIRES: size() bytes at `to`. `observer` may be null.
  absl::Status Read(std::span<std::byte> to,
                    const ByteObserver& observer = nullptr) const;

 private:
  RegularFile(std::string path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}
  // Fills the span, or says why not.
  absl::Status Fill(std::span<std::byte> to, size_t offset) const;

  const std::string path_;
  int descriptor_ = -1;
  FileIdentity identity_;
};

// A file of at most `max_bytes`, as a text: also InvalidArgument if it has
// more.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path,
                                          size_t max_bytes);

}  // namespace deberta

#endif  // FILES_REGULAR_FILE_H_
