// Whose token it is: --tokens_file, read again when it changes. Thread-safe.

#ifndef SERVER_SECURITY_AUTHENTICATOR_H_
#define SERVER_SECURITY_AUTHENTICATOR_H_

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/base/periodic_thread.h"
#include "server/security/account.h"
#include "server/security/token_file.h"

namespace deberta::server {

class Authenticator {
 public:
  // Called when a changed file was taken (OK) or refused: the old one stays.
  using ReloadObserver =
      std::function<void(const absl::Status& status, size_t accounts)>;

  // Reads `path`; an error names it. Looks for changes every `interval`, but
  // for an infinite one.
  static absl::StatusOr<std::unique_ptr<Authenticator>> Open(
      std::string path, absl::Duration interval, ReloadObserver observer);
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;

  // The account of "Bearer TOKEN". Unauthenticated says what is expected, and
  // nothing of what came.
  absl::StatusOr<std::shared_ptr<const Account>> Authenticate(
      std::string_view authorization) const;

  // Reads the file again if it is another than before.
  void Poll();

  size_t accounts() const;

 private:
  struct Accounts {
    std::vector<TokenHash> hashes;
    std::vector<std::shared_ptr<const Account>> owners;  // of each hash
    std::vector<std::shared_ptr<const Account>> all;
  };
  // What tells one state of the file from another.
  struct FileState {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;
    int64_t modified_ns = 0;
    int64_t changed_ns = 0;
    bool operator==(const FileState&) const = default;
  };

  Authenticator(std::string path, ReloadObserver observer)
      : path_(std::move(path)), observer_(std::move(observer)) {}
  static FileState StateOf(const std::string& path);
  absl::Status Load();

  const std::string path_;
  const ReloadObserver observer_;
  FileState state_;  // of the start, then of the thread that polls
  mutable Mutex mutex_;
  std::shared_ptr<const Accounts> accounts_ ABSL_GUARDED_BY(mutex_);
  std::optional<PeriodicThread> watcher_;  // last: it uses the others
};

}  // namespace deberta::server

#endif  // SERVER_SECURITY_AUTHENTICATOR_H_
