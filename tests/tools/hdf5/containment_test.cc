// Each test runs in a process of its own: nothing undoes the limits.

#include "tools/hdf5/containment.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "gtest/gtest.h"

namespace deberta::tools {
namespace {

class ContainmentTest : public testing::Test {
 protected:
  void SetUp() override {
    if (kUnderSanitizer) GTEST_SKIP() << "a sanitizer needs what is given up";
  }
};

// Ends the process: 0 if `held`.
[[noreturn]] void End(bool held) { _exit(held ? 0 : 1); }

[[noreturn]] void Contained(bool (*held)()) {
  if (!Contain().ok()) _exit(2);
  End(held());
}

// Runs `held` after Contain in a process of its own.
void ExpectHeld(bool (*held)()) {
  EXPECT_EXIT(Contained(held), testing::ExitedWithCode(0), "");
}

TEST_F(ContainmentTest, ReadsOneFile) {
  ExpectHeld([] {
    for (int number = 3; number < 64; ++number) close(number);
    char byte;
    const int file = open("/proc/self/exe", O_RDONLY);
    return file == 3 && read(file, &byte, 1) == 1 && byte == '\x7f' &&
           open("/proc/self/exe", O_RDONLY) == -1 && errno == EMFILE;
  });
}

TEST_F(ContainmentTest, OpensNothingForWriting) {
  ExpectHeld([] {
    for (int number = 3; number < 64; ++number) close(number);
    for (const int flags : {O_WRONLY, O_RDWR, O_RDONLY | O_CREAT,
                            O_RDONLY | O_TRUNC, O_WRONLY | O_APPEND}) {
      if (open("/dev/null", flags, 0600) != -1 || errno != EPERM) return false;
    }
    return true;
  });
}

TEST_F(ContainmentTest, HasNoSocketsProcessesOrPrograms) {
  ExpectHeld([] {
    for (int number = 3; number < 64; ++number) close(number);
    char* const arguments[] = {nullptr};
    return socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM &&
           fork() == -1 && errno == EPERM &&
           execv("/bin/true", arguments) == -1 && errno == EPERM &&
           unlink("/no/such/file") == -1 && errno == EPERM;
  });
}

TEST_F(ContainmentTest, HasBoundedMemory) {
  ExpectHeld([] {
    return mmap(nullptr, size_t{256} << 20, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
           errno == ENOMEM;
  });
}

TEST_F(ContainmentTest, CannotRaiseItsLimits) {
  ExpectHeld([] {
    const rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_AS, &more) == -1 && errno == EPERM;
  });
}

}  // namespace
}  // namespace deberta::tools
