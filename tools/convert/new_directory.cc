#include "tools/convert/new_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta::tools {
namespace {

namespace fs = std::filesystem;

// The path without slashes at its end.
std::string Plain(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Waits until the disk has the file or the directory.
absl::Status Sync(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, path);
  const int error = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  return error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, path);
}

}  // namespace

absl::StatusOr<std::unique_ptr<NewDirectory>> NewDirectory::Create(
    const std::string& target) {
  const std::string plain = Plain(target);
  struct stat info;
  if (lstat(plain.c_str(), &info) == 0) {
    return absl::AlreadyExistsError(
        absl::StrCat(plain, ": exists, and is not overwritten"));
  }
  std::string path = absl::StrCat(plain, ".partial-XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat(plain, ": cannot be made"));
  }
  return std::unique_ptr<NewDirectory>(
      new NewDirectory(plain, std::move(path)));
}

NewDirectory::NewDirectory(std::string target, std::string path)
    : target_(std::move(target)), path_(std::move(path)) {}

NewDirectory::~NewDirectory() {
  if (finished_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string NewDirectory::Path(std::string_view name) const {
  return (fs::path(path_) / name).string();
}

absl::Status NewDirectory::MakeDirectory(std::string_view name) {
  const std::string path = Path(name);
  if (mkdir(path.c_str(), 0777) != 0) return absl::ErrnoToStatus(errno, path);
  return absl::OkStatus();
}

absl::Status NewDirectory::Write(std::string_view name,
                                 std::string_view contents) {
  const std::string path = Path(name);
  std::ofstream file(path, std::ios::binary);
  errno = 0;
  file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  file.close();
  if (!file) return absl::ErrnoToStatus(errno == 0 ? EIO : errno, path);
  return Sync(path);
}

absl::Status NewDirectory::Copy(const std::string& from,
                                std::string_view name) {
  const std::string path = Path(name);
  std::error_code error;
  fs::copy_file(from, path, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat(from, " to ", path));
  }
  return Sync(path);
}

absl::Status NewDirectory::Finish() {
  // mkdtemp's directory is for its owner alone; this one is as mkdir's.
  const mode_t mask = umask(0);
  umask(mask);
  if (chmod(path_.c_str(), 0777 & ~mask) != 0) {
    return absl::ErrnoToStatus(errno, path_);
  }
  absl::Status status = Sync(path_);
  if (!status.ok()) return status;
  // Fails where a file or a directory that holds anything has come since.
  if (std::rename(path_.c_str(), target_.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, target_);
  }
  finished_ = true;
  const fs::path parent = fs::path(target_).parent_path();
  return Sync(parent.empty() ? "." : parent.string());
}

}  // namespace deberta::tools
