#include "server/base/shutdown_signal.h"

#include <pthread.h>
#include <signal.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"

namespace deberta::server {

struct ShutdownSignal::State {
  sigset_t signals = {};
  Mutex mutex;
  CondVar received;
  bool armed ABSL_GUARDED_BY(mutex) = false;
  int signal ABSL_GUARDED_BY(mutex) = 0;
  std::vector<SocketFile> files ABSL_GUARDED_BY(mutex);

  [[noreturn]] void Exit(int code) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    for (const SocketFile& file : files) file.Remove();
    std::_Exit(code);
  }

  void Receive() {
    while (true) {
      int number = 0;
      if (sigwait(&signals, &number) != 0) continue;
      MutexLock lock(&mutex);
      if (!armed) Exit(0);
      if (signal != 0) Exit(1);
      signal = number;
      received.SignalAll();
    }
  }
};

ShutdownSignal::ShutdownSignal() : state_(std::make_shared<State>()) {
  sigemptyset(&state_->signals);
  sigaddset(&state_->signals, SIGTERM);
  sigaddset(&state_->signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &state_->signals, nullptr);
  std::thread([state = state_] { state->Receive(); }).detach();
}

ShutdownSignal::~ShutdownSignal() = default;

void ShutdownSignal::RemoveAtExit(const SocketFile& file) {
  MutexLock lock(&state_->mutex);
  state_->files.push_back(file);
}

void ShutdownSignal::Arm() {
  MutexLock lock(&state_->mutex);
  state_->armed = true;
}

void ShutdownSignal::Exit(int code) {
  MutexLock lock(&state_->mutex);
  state_->Exit(code);
}

int ShutdownSignal::Wait() {
  MutexLock lock(&state_->mutex);
  while (state_->signal == 0) state_->received.Wait(&state_->mutex);
  return state_->signal;
}

}  // namespace deberta::server
