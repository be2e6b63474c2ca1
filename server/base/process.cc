#include "server/base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/base/mutex.h"

namespace deberta::server {
namespace {

// With fewer, gRPC aborts, or fails without a reason.
constexpr rlim_t kLeastDescriptors = 64;
// Beside the threads' stacks.
constexpr size_t kLeastAddressSpace = size_t{512} << 20;

absl::Status CheckDescriptors() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
      limit.rlim_cur >= kLeastDescriptors)
    return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("Too many open files: expected a limit (ulimit -n) of at "
                   "least ",
                   kLeastDescriptors, ", it is ", limit.rlim_cur));
}

size_t StackBytes() {
  pthread_attr_t attributes;
  size_t bytes = size_t{8} << 20;
  if (pthread_attr_init(&attributes) != 0) return bytes;
  pthread_attr_getstacksize(&attributes, &bytes);
  pthread_attr_destroy(&attributes);
  return bytes;
}

absl::Status CheckAddressSpace(int threads) {
  const size_t bytes =
      kLeastAddressSpace + static_cast<size_t>(threads) * StackBytes();
  void* const room = mmap(nullptr, bytes, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "out of memory: ", threads, " threads and what they work with take ",
        bytes >> 20,
        " MiB of address space at least (ulimit -v): ", strerror(errno)));
  }
  munmap(room, bytes);
  return absl::OkStatus();
}

absl::Status CheckThreads(int count) {
  Mutex mutex;
  CondVar changed;
  bool go = false;
  std::vector<std::thread> threads;
  absl::Status status;
  try {
    threads.reserve(static_cast<size_t>(count));
    while (threads.size() < static_cast<size_t>(count)) {
      threads.emplace_back([&] {
        const MutexLock lock(&mutex);
        while (!go) changed.Wait(&mutex);
      });
    }
  } catch (const std::exception& error) {
    status = absl::ResourceExhaustedError(
        absl::StrCat("cannot start threads: expected at least ", count,
                     ", got ", threads.size(),
                     " (ulimit -u, or the cgroup's pids.max): ", error.what()));
  }
  {
    const MutexLock lock(&mutex);
    go = true;
    changed.SignalAll();
  }
  for (std::thread& thread : threads) thread.join();
  return status;
}

// For a signal handler, beside which others may write.
char abort_note[256] =
    "a library gave no reason; memory, threads or descriptors may be short";

void Write(std::string_view text) {
  pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  // Nobody may be reading.
  if (poll(&ready, 1, 500) == 1)
    static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
}

void EndOnAbort(int) {
  constexpr char kBegin[] =
      "{\"level\":\"error\",\"msg\":\"the server aborts\",\"error\":\"";
  constexpr char kEnd[] = "\"}\n";
  char line[sizeof(kBegin) + sizeof(abort_note) + sizeof(kEnd)];
  size_t size = sizeof(kBegin) - 1;
  memcpy(line, kBegin, size);
  for (const char* note = abort_note; *note != '\0'; ++note)
    line[size++] = *note;
  memcpy(line + size, kEnd, sizeof(kEnd) - 1);
  Write({line, size + sizeof(kEnd) - 1});
  _exit(134);  // as a shell tells of SIGABRT
}

[[noreturn]] void EndOnTerminate() {
  try {
    if (std::current_exception() != nullptr) throw;
  } catch (const std::bad_alloc&) {
    NoteForAbort("out of memory");
  } catch (const std::system_error& error) {
    NoteForAbort(error.what());
  } catch (...) {
    NoteForAbort("an exception was not caught");
  }
  std::abort();
}

}  // namespace

void OpenStandardStreams() {
  // open() takes the lowest number that is free.
  for (int file = 0; file <= STDERR_FILENO; ++file) {
    if (fcntl(file, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
  }
}

absl::Status CheckLimits(int threads) {
  absl::Status status = CheckDescriptors();
  if (status.ok()) status = CheckAddressSpace(threads);
  if (status.ok()) status = CheckThreads(threads);
  return status;
}

void GiveUpPrivileges() {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
}

void SayWhyOnAbort() {
  struct sigaction action = {};
  action.sa_handler = EndOnAbort;
  sigaction(SIGABRT, &action, nullptr);
  std::set_terminate(EndOnTerminate);
}

void NoteForAbort(std::string_view why) {
  const size_t size = std::min(why.size(), sizeof(abort_note) - 1);
  for (size_t i = 0; i < size; ++i) {
    const char c = why[i];
    // As it stands in a JSON string.
    const bool plain = c >= ' ' && c != '"' && c != '\\' && c != 0x7f;
    abort_note[i] = plain ? c : '?';
  }
  abort_note[size] = '\0';
}

}  // namespace deberta::server
