// Serves the models of a repository beside those of --models, and tells health
// and metrics of both.

#ifndef SERVER_MODEL_HOST_H_
#define SERVER_MODEL_HOST_H_

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/engine.h"
#include "server/metrics.h"
#include "server/options.h"
#include "server/repository.h"
#include "server/rpc/listener.h"

namespace deberta::server {

class ModelHost final : public RepositoryHost {
 public:
  // All outlive this. What `engine` serves now is fixed.
  ModelHost(const Options& options, Engine* engine, Metrics* metrics,
            Listener* listener, Log* log);

  bool IsFixed(const std::string& model) const override;
  absl::Status Load(const std::string& model, int64_t version,
                    const std::string& directory,
                    const std::function<absl::Status()>& check) override;
  void Remove(const std::string& model) override;

  // From here on health is SERVING while there is a model, loading leaves the
  // CPUs to what is served, and models may bring the process to so many bytes.
  void StartServing(std::optional<size_t> model_bytes);
  // Nothing is SERVING any more.
  void StopServing();

 private:
  enum class State { kStarting, kServing, kStopped };

  void Serve(std::shared_ptr<const ServedModel> model);
  void TellHealth() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options& options_;
  Engine* const engine_;
  Metrics* const metrics_;
  Listener* const listener_;
  Log* const log_;
  std::set<std::string> fixed_;
  Mutex mutex_;  // health is told in the order in which it changes
  State state_ ABSL_GUARDED_BY(mutex_) = State::kStarting;
  std::optional<size_t> model_bytes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace deberta::server

#endif  // SERVER_MODEL_HOST_H_
