// SIGHUP, received by a thread of its own: files are to be read again.

#ifndef SERVER_BASE_RELOAD_SIGNAL_H_
#define SERVER_BASE_RELOAD_SIGNAL_H_

#include <functional>
#include <memory>

namespace deberta::server {

// Blocks the signal in every thread that is started later; until somebody
// watches it does nothing. REQUIRES: no other thread runs yet; one object a
// process.
class ReloadSignal {
 public:
  ReloadSignal();
  ~ReloadSignal();
  ReloadSignal(const ReloadSignal&) = delete;
  ReloadSignal& operator=(const ReloadSignal&) = delete;

  // `reload` is called, on the thread, at every signal until Clear() returns.
  // It must not wait.
  void Watch(std::function<void()> reload);
  void Clear();

 private:
  struct State;
  // Shared with the thread, which runs until the process ends.
  const std::shared_ptr<State> state_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_RELOAD_SIGNAL_H_
