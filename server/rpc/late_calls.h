// Cancels calls that are not over within a time.

#ifndef SERVER_RPC_LATE_CALLS_H_
#define SERVER_RPC_LATE_CALLS_H_

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "server/base/mutex.h"

namespace deberta::server {

// Thread-safe. Adding and removing allocate nothing.
class LateCalls {
 public:
  // A call's place; it is out when this is destroyed.
  class Entry {
   public:
    Entry() = default;
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    friend class LateCalls;
    LateCalls* calls_ = nullptr;  // where it is, if anywhere
    const grpc::ServerContextBase* context_ = nullptr;
    absl::Time deadline_;
    Entry* previous_ = nullptr;
    Entry* next_ = nullptr;
  };

  // `on_late` is called for each that is cancelled.
  LateCalls(absl::Duration time, std::function<void()> on_late);
  // No entry is in.
  ~LateCalls();

  // Cancels the call unless `entry`, which is out, is destroyed in time. The
  // context lives as long as the entry.
  void Add(const grpc::ServerContextBase* context, Entry* entry);

 private:
  void Remove(Entry* entry);
  void Unlink(Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunThread();

  const absl::Duration time_;
  const std::function<void()> on_late_;
  Mutex mutex_;
  CondVar changed_;
  // The oldest first: all have the same time.
  Entry* first_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Entry* last_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;  // until it is woken
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace deberta::server

#endif  // SERVER_RPC_LATE_CALLS_H_
