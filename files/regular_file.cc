#include "files/regular_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta {
namespace {

constexpr size_t kPartBytes = size_t{8} << 20;

bool SameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

absl::StatusOr<RegularFile> RegularFile::Open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  RegularFile file(path, open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  // A socket cannot be opened at all.
  if (file.descriptor_ < 0 && errno == ENXIO) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected a regular file"));
  }
  struct stat info;
  if (file.descriptor_ < 0 || fstat(file.descriptor_, &info) != 0)
    return absl::ErrnoToStatus(errno, path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected a regular file"));
  }
  file.identity_ = FileIdentity(info);
  return file;
}

RegularFile::RegularFile(RegularFile&& other) noexcept
    : path_(other.path_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      identity_(other.identity_) {}

RegularFile::~RegularFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status RegularFile::Fill(std::span<std::byte> to, size_t offset) const {
  while (!to.empty()) {
    const ssize_t n =
        pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return absl::ErrnoToStatus(errno, path_);
    if (n == 0) {
      return absl::DataLossError(
          absl::StrCat(path_, ": was cut short while it was read (", offset,
                       " of ", size(), " bytes); load it again"));
    }
    to = to.subspan(static_cast<size_t>(n));
    offset += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

absl::Status RegularFile::Read(std::span<std::byte> to,
                               const ByteObserver& observer) const {
  std::future<void> told;  // waits for the observer when it goes
  for (size_t offset = 0; offset < size();) {
    const auto part = to.subspan(offset, std::min(kPartBytes, size() - offset));
    if (absl::Status s = Fill(part, offset); !s.ok()) return s;
    offset += part.size();
    if (!observer) continue;
    if (told.valid()) told.get();
    told =
        std::async(std::launch::async, [&observer, part] { observer(part); });
  }
  if (told.valid()) told.get();
  struct stat now;
  if (fstat(descriptor_, &now) != 0) return absl::ErrnoToStatus(errno, path_);
  return identity_.Compare(path_, now);
}

absl::Status FileIdentity::Check(const std::string& path) const {
  struct stat now;
  if (stat(path.c_str(), &now) != 0) return absl::ErrnoToStatus(errno, path);
  return Compare(path, now);
}

absl::Status FileIdentity::Compare(const std::string& path,
                                   const struct stat& now) const {
  if (now.st_dev == info_.st_dev && now.st_ino == info_.st_ino &&
      now.st_size == info_.st_size && SameTime(now.st_mtim, info_.st_mtim)) {
    return absl::OkStatus();
  }
  return absl::DataLossError(
      absl::StrCat(path, ": was changed while it was read (", info_.st_size,
                   " bytes then, ", now.st_size, " now); load it again"));
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path,
                                          size_t max_bytes) {
  const absl::StatusOr<RegularFile> file = RegularFile::Open(path);
  if (!file.ok()) return file.status();
  if (file->size() > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": expected at most ", max_bytes, " bytes, got ", file->size()));
  }
  std::string text(file->size(), '\0');
  absl::Status status = file->Read(std::as_writable_bytes(std::span(text)));
  if (!status.ok()) return status;
  return text;
}

}  // namespace deberta
