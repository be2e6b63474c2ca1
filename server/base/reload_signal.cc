#include "server/base/reload_signal.h"

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace deberta::server {

struct ReloadSignal::State {
  sigset_t signals = {};
  Mutex mutex;
  std::vector<std::function<void()>> watchers ABSL_GUARDED_BY(mutex);

  void Receive() {
    while (true) {
      int number = 0;
      if (sigwait(&signals, &number) != 0) continue;
      MutexLock lock(&mutex);
      for (const std::function<void()>& reload : watchers) reload();
    }
  }
};

ReloadSignal::ReloadSignal() : state_(std::make_shared<State>()) {
  sigemptyset(&state_->signals);
  sigaddset(&state_->signals, SIGHUP);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // Other signals are not for this thread.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([state = state_] { state->Receive(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_sigmask(SIG_BLOCK, &state_->signals, nullptr);
}

ReloadSignal::~ReloadSignal() { Clear(); }

void ReloadSignal::Watch(std::function<void()> reload) {
  MutexLock lock(&state_->mutex);
  state_->watchers.push_back(std::move(reload));
}

void ReloadSignal::Clear() {
  MutexLock lock(&state_->mutex);
  state_->watchers.clear();
}

}  // namespace deberta::server
