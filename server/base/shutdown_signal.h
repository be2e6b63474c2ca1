// SIGTERM and SIGINT, received by a thread of their own.

#ifndef SERVER_BASE_SHUTDOWN_SIGNAL_H_
#define SERVER_BASE_SHUTDOWN_SIGNAL_H_

#include <memory>

#include "server/base/listening_socket.h"

namespace deberta::server {

// Blocks the two signals in every thread that is started later. REQUIRES: no
// other thread runs yet; one object a process.
//
// Before Arm() a signal ends the process at once with exit code 0: there is no
// work to finish. After it the first signal ends Wait(), and the second ends
// the process at once with exit code 1. "At once" is after the files of
// RemoveAtExit() are removed.
class ShutdownSignal {
 public:
  ShutdownSignal();
  ~ShutdownSignal();
  ShutdownSignal(const ShutdownSignal&) = delete;
  ShutdownSignal& operator=(const ShutdownSignal&) = delete;

  void RemoveAtExit(const SocketFile& file);
  void Arm();
  // Ends the process at once, though other threads may be at work.
  [[noreturn]] void Exit(int code);
  // Returns the number of the signal that came. REQUIRES: Arm().
  int Wait();

 private:
  struct State;
  // Shared with the thread, which runs until the process ends.
  const std::shared_ptr<State> state_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_SHUTDOWN_SIGNAL_H_
