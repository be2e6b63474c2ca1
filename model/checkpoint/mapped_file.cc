#include "model/checkpoint/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace deberta::model {

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  MappedFile file(path);
  file.descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.descriptor_ < 0) return absl::ErrnoToStatus(errno, path);
  struct stat info;
  if (fstat(file.descriptor_, &info) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected a regular file"));
  }
  file.modified_ = info.st_mtim;
  const size_t size = static_cast<size_t>(info.st_size);
  if (size == 0) return file;
  void* const start =
      mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor_, 0);
  if (start == MAP_FAILED) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat(path, ": cannot map ", size, " bytes"));
  }
  file.bytes_ = {static_cast<const std::byte*>(start), size};
  return file;
}

absl::Status MappedFile::CheckUnchanged() const {
  struct stat info;
  if (fstat(descriptor_, &info) != 0) return absl::ErrnoToStatus(errno, path_);
  if (static_cast<size_t>(info.st_size) == bytes_.size() &&
      info.st_mtim.tv_sec == modified_.tv_sec &&
      info.st_mtim.tv_nsec == modified_.tv_nsec) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      path_, ": was changed in place after it was opened (", bytes_.size(),
      " bytes then, ", info.st_size, " now); load it again"));
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      modified_(other.modified_),
      bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  // The old mapping goes with `other`.
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(modified_, other.modified_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) {
    munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
  if (descriptor_ >= 0) close(descriptor_);
}

void MappedFile::Release(std::span<const std::byte> range) const {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t offset = static_cast<size_t>(range.data() - bytes_.data());
  const size_t first = (offset + page - 1) / page * page;
  // The file's last page holds nothing else.
  size_t last = offset + range.size();
  if (last < bytes_.size()) last = last / page * page;
  if (range.empty() || first >= last) return;
  // Only advice: failing to give pages back changes nothing that is read.
  madvise(const_cast<std::byte*>(bytes_.data()) + first, last - first,
          MADV_DONTNEED);
}

}  // namespace deberta::model
