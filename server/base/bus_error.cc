#include "server/base/bus_error.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace deberta::server {
namespace {

// All below runs in a signal handler: no allocation, no locks, no stdio.

void Write(std::string_view text) {
  pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  // Nobody may be reading, and there is nobody to tell that it failed.
  if (poll(&ready, 1, 500) != 1) return;
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
}

// A line of /proc/self/maps: "begin-end perms offset device inode   path".
class MapsLine {
 public:
  // Takes the line's next character.
  void Add(char c) {
    if (field_ == kPath) {
      if (path_size_ > 0 || c != ' ') AddToPath(c);
    } else if (c == ' ') {
      ++field_;
    } else if (field_ == 0 && c == '-') {
      begin_ = number_;
      number_ = 0;
    } else if (field_ == 0) {
      number_ = number_ * 16 +
                static_cast<uintptr_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
  }
  bool Holds(uintptr_t address) const {
    return begin_ <= address && address < number_;
  }
  std::string_view path() const { return {path_, path_size_}; }

 private:
  static constexpr int kPath = 5;

  void AddToPath(char c) {
    if (path_size_ == sizeof(path_)) return;
    // As it stands in a JSON string.
    const bool plain = c >= ' ' && c != '"' && c != '\\' && c != 0x7f;
    path_[path_size_++] = plain ? c : '?';
  }

  int field_ = 0;
  uintptr_t begin_ = 0;
  uintptr_t number_ = 0;  // the end, in the end
  size_t path_size_ = 0;
  char path_[1024];
};

// Writes the path of what is mapped at `address`.
void WritePathOf(uintptr_t address) {
  const int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0) return;
  MapsLine line;
  char buffer[1024];
  for (ssize_t n; (n = read(maps, buffer, sizeof(buffer))) > 0;) {
    for (const char c : std::string_view(buffer, static_cast<size_t>(n))) {
      if (c != '\n') {
        line.Add(c);
        continue;
      }
      if (line.Holds(address)) {
        Write(line.path());
        return;
      }
      line = MapsLine();
    }
  }
}

void EndOnBusError(int, siginfo_t* info, void*) {
  Write(
      "{\"level\":\"error\",\"msg\":\"a mapped file was cut short or cannot be "
      "read any more; the server ends\",\"file\":\"");
  WritePathOf(reinterpret_cast<uintptr_t>(info->si_addr));
  Write("\"}\n");
  _exit(1);
}

}  // namespace

void NameFileOnBusError() {
  struct sigaction action = {};
  action.sa_sigaction = EndOnBusError;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace deberta::server
