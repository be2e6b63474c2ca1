#include "tools/hdf5/containment.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace deberta::tools {
namespace {

constexpr rlim_t kMemory = rlim_t{256} << 20;
constexpr rlim_t kProcessorSeconds = 20;
constexpr rlim_t kDescriptors = 4;
// Of the answer, where it goes to a file.
constexpr rlim_t kWrittenBytes = rlim_t{16} << 20;

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the system calls of this architecture are not known here"
#endif

// What the C library and HDF5 need to read one file, allocate, write to the
// descriptors that are open, and end. openat has its own rule.
constexpr uint32_t kCalls[] = {
    SYS_brk,          SYS_clock_gettime, SYS_close,        SYS_exit,
    SYS_exit_group,   SYS_fcntl,         SYS_fstat,        SYS_futex,
    SYS_getcwd,       SYS_getpid,        SYS_getrandom,    SYS_gettid,
    SYS_gettimeofday, SYS_lseek,         SYS_madvise,      SYS_mmap,
    SYS_mprotect,     SYS_mremap,        SYS_munmap,       SYS_newfstatat,
    SYS_pread64,      SYS_read,          SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_statx,         SYS_sysinfo,      SYS_tgkill,
    SYS_write,        SYS_writev};

absl::Status SetLimit(int resource, rlim_t value, const char* name) {
  const rlimit limit = {value, value};
  if (setrlimit(resource, &limit) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, name);
}

sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}

sock_filter SkipUnless(uint32_t value, uint8_t skipped) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

sock_filter Answer(uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

absl::Status FilterSystemCalls() {
  const sock_filter refuse = Answer(SECCOMP_RET_ERRNO | EPERM);
  const sock_filter allow = Answer(SECCOMP_RET_ALLOW);
  std::vector<sock_filter> program = {
      Load(offsetof(seccomp_data, arch)), SkipUnless(kArchitecture, 1),
      BPF_STMT(BPF_JMP | BPF_JA, 1), Answer(SECCOMP_RET_KILL_PROCESS),
      Load(offsetof(seccomp_data, nr))};
  for (const uint32_t call : kCalls) {
    program.push_back(SkipUnless(call, 1));
    program.push_back(allow);
  }
  // Reading only: the flags are the third argument's low half.
  program.push_back(SkipUnless(SYS_openat, 4));
  program.push_back(Load(offsetof(seccomp_data, args[2])));
  program.push_back(
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC));
  program.push_back(SkipUnless(O_RDONLY, 1));
  program.push_back(allow);
  program.push_back(refuse);
  const sock_fprog filter = {static_cast<uint16_t>(program.size()),
                             program.data()};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "PR_SET_SECCOMP");
}

}  // namespace

absl::Status Contain() {
  absl::Status status = SetLimit(RLIMIT_CORE, 0, "RLIMIT_CORE");
  status.Update(SetLimit(RLIMIT_CPU, kProcessorSeconds, "RLIMIT_CPU"));
  status.Update(SetLimit(RLIMIT_FSIZE, kWrittenBytes, "RLIMIT_FSIZE"));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    status.Update(absl::ErrnoToStatus(errno, "PR_SET_NO_NEW_PRIVS"));
  }
  if (kUnderSanitizer || !status.ok()) return status;
  status.Update(SetLimit(RLIMIT_AS, kMemory, "RLIMIT_AS"));
  status.Update(SetLimit(RLIMIT_NOFILE, kDescriptors, "RLIMIT_NOFILE"));
  status.Update(FilterSystemCalls());
  return status;
}

}  // namespace deberta::tools
