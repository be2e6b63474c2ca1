// Keeps what is served as a directory of models has it, while it changes.

#ifndef SERVER_REPOSITORY_H_
#define SERVER_REPOSITORY_H_

#include <functional>
#include <set>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/models/repository_state.h"

namespace deberta::server {

// Who loads and serves the models; called by one thread at a time.
class RepositoryHost {
 public:
  virtual ~RepositoryHost() = default;

  // Whether a model of that name is served that the repository must leave
  // alone.
  virtual bool IsFixed(const std::string& model) const = 0;
  // Loads and proves the model, and serves it in place of the one of its name,
  // unless `check` fails just before. On an error all is as it was.
  virtual absl::Status Load(const std::string& model, int64_t version,
                            const std::string& directory,
                            const std::function<absl::Status()>& check) = 0;
  virtual void Remove(const std::string& model) = 0;
};

class Repository {
 public:
  // Both outlive this.
  Repository(std::string directory, RepositoryHost* host, Log* log);
  // Stops: waits for a load that is under way.
  ~Repository();
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;

  // Looks once and does what is to be done; `settled`: without waiting for a
  // second look that sees the same. An error if the directory cannot be read;
  // all is then as it was. Not beside the thread of Start().
  absl::Status Look(bool settled);

  // Looks every `period`, or never if that is infinite, and whenever Reload()
  // asks, on a thread of its own.
  void Start(absl::Duration period);
  // Looks soon, settled.
  void Reload();
  // Starts nothing more; whether nothing is under way any more. Does not wait.
  bool Stop();

 private:
  void RunThread(absl::Duration period);
  void RemoveGone();
  void LoadAll();
  absl::Status LoadOne(const ModelVersion& wanted);
  void WarnOfUnusable(const RepositoryListing& listing);
  // Logs an error of Look(), once until it passes.
  void LogFailure(const absl::Status& status);
  bool stopping() const;

  const std::string directory_;
  RepositoryHost* const host_;
  Log* const log_;
  // One thread at a time: the starting one, then that of Start().
  RepositoryState state_;
  std::set<std::string> warned_;
  std::string last_failure_;

  mutable Mutex mutex_;
  CondVar changed_;
  bool reload_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace deberta::server

#endif  // SERVER_REPOSITORY_H_
