#include "model/checkpoint/loaded_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace deberta::model {

absl::StatusOr<LoadedFile> LoadedFile::Read(const std::string& path,
                                            const ByteObserver& observer) {
  const absl::StatusOr<RegularFile> opened = RegularFile::Open(path);
  if (!opened.ok()) return opened.status();
  LoadedFile file(path);
  file.identity_ = opened->identity();
  const size_t size = opened->size();
  if (size == 0) return file;
  void* const start = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": no memory for its ", size, " bytes"));
  }
  const std::span<std::byte> memory(static_cast<std::byte*>(start), size);
  file.bytes_ = memory;
  absl::Status status = opened->Read(memory, observer);
  if (!status.ok()) return status;
  return file;
}

LoadedFile::LoadedFile(LoadedFile&& other) noexcept
    : path_(std::move(other.path_)),
      identity_(other.identity_),
      bytes_(std::exchange(other.bytes_, {})) {}

LoadedFile& LoadedFile::operator=(LoadedFile&& other) noexcept {
  // The old memory goes with `other`.
  std::swap(path_, other.path_);
  std::swap(identity_, other.identity_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

LoadedFile::~LoadedFile() {
  if (!bytes_.empty())
    munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void LoadedFile::Release(std::span<const std::byte> range) const {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t offset = static_cast<size_t>(range.data() - bytes_.data());
  const size_t first = (offset + page - 1) / page * page;
  // The file's last page holds nothing else.
  size_t last = offset + range.size();
  if (last < bytes_.size()) last = last / page * page;
  if (range.empty() || first >= last) return;
  madvise(const_cast<std::byte*>(bytes_.data()) + first, last - first,
          MADV_DONTNEED);
}

}  // namespace deberta::model
