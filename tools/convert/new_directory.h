// A directory that appears whole or not at all.

#ifndef TOOLS_CONVERT_NEW_DIRECTORY_H_
#define TOOLS_CONVERT_NEW_DIRECTORY_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace deberta::tools {

// Files are written into a directory of another name beside the target, which
// takes the target's name at the end and is removed if that does not come.
class NewDirectory {
 public:
  // AlreadyExists if there is anything at `target`, NotFound if its parent does
  // not exist; all errors name the target.
  static absl::StatusOr<std::unique_ptr<NewDirectory>> Create(
      const std::string& target);
  ~NewDirectory();
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

  // Where the file `name` of the directory is to be written.
  std::string Path(std::string_view name) const;

  absl::Status MakeDirectory(std::string_view name);
  absl::Status Write(std::string_view name, std::string_view contents);
  // A copy of the regular file `from`.
  absl::Status Copy(const std::string& from, std::string_view name);

  // Gives the directory its name. Nothing may be written after.
  absl::Status Finish();

 private:
  NewDirectory(std::string target, std::string path);

  const std::string target_;
  const std::string path_;  // for now
  bool finished_ = false;
};

}  // namespace deberta::tools

#endif  // TOOLS_CONVERT_NEW_DIRECTORY_H_
