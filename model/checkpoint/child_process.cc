#include "model/checkpoint/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

// What posix_spawn is told; freed with the object.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // An error number, 0 for success.
  int Spawn(const std::vector<std::string>& command, int output, pid_t* child) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO,
                                                 "/dev/null", O_RDONLY, 0);
    for (const int number : {STDOUT_FILENO, STDERR_FILENO}) {
      if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions_, output, number);
      }
    }
    if (error == 0) {
      error = posix_spawn_file_actions_addclosefrom_np(&actions_,
                                                       STDERR_FILENO + 1);
    }
    if (error == 0) error = posix_spawnattr_setsigmask(&attributes_, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(&attributes_, &all);
    if (error == 0) {
      error = posix_spawnattr_setflags(
          &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    if (error != 0) return error;
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
      arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    char* environment[] = {nullptr};
    return posix_spawn(child, command.front().c_str(), &actions_, &attributes_,
                       arguments.data(), environment);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

absl::StatusOr<Descriptor> StartTimer(std::chrono::milliseconds time) {
  Descriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  itimerspec setting = {};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  setting.it_value.tv_sec = seconds.count();
  setting.it_value.tv_nsec = std::chrono::nanoseconds(time - seconds).count();
  if (timer.number() < 0 ||
      timerfd_settime(timer.number(), 0, &setting, nullptr) != 0) {
    return absl::ErrnoToStatus(errno, "timer for a child process");
  }
  return timer;
}

// Reads until the other end is closed; else says what went wrong.
std::string ReadAll(int output, int timer, const ChildLimits& limits,
                    std::string& text) {
  while (true) {
    pollfd ready[] = {{output, POLLIN, 0}, {timer, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return absl::StrCat("poll: ", strerror(errno));
    }
    if (ready[1].revents != 0) {
      return absl::StrCat("stopped after ", limits.time.count(), " ms");
    }
    char piece[16384];
    const ssize_t size = read(output, piece, sizeof(piece));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::StrCat("read: ", strerror(errno));
    if (size == 0) return "";
    text.append(piece, static_cast<size_t>(size));
    if (text.size() > limits.output_bytes) {
      return absl::StrCat("stopped after writing more than ",
                          limits.output_bytes, " bytes");
    }
  }
}

// Ends the child, whose status says how it ended if it already had.
std::string Reap(pid_t child) {
  // A process that closes its output by exiting is past being killed, and keeps
  // its exit status.
  kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return absl::StrCat("waitpid: ", strerror(errno));
  }
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return absl::StrCat("killed by signal ", signal, " (", strsignal(signal),
                        ")");
  }
  if (WEXITSTATUS(status) == 0) return "";
  return absl::StrCat("exit status ", WEXITSTATUS(status));
}

}  // namespace

absl::StatusOr<ChildOutput> RunChild(const std::vector<std::string>& command,
                                     const ChildLimits& limits) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "pipe to a child process");
  }
  const Descriptor output(ends[0]);
  Descriptor input(ends[1]);
  const absl::StatusOr<Descriptor> timer = StartTimer(limits.time);
  if (!timer.ok()) return timer.status();
  pid_t child = 0;
  const int error = SpawnSettings().Spawn(command, input.number(), &child);
  if (error != 0) return absl::ErrnoToStatus(error, command.front());
  input = Descriptor();
  ChildOutput result;
  result.failure =
      ReadAll(output.number(), timer->number(), limits, result.text);
  const std::string ending = Reap(child);
  if (result.failure.empty()) result.failure = ending;
  return result;
}

}  // namespace deberta::model
