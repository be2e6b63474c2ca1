/* Preloaded into a process, hides AVX-512 and AMX from all code in it that asks
 * the processor, so that engines without a switch of their own run their AVX2
 * paths too:
 *
 *   cc -O2 -shared -fPIC -o avx2_only.so avx2_only.c
 *   LD_PRELOAD=./avx2_only.so PROGRAM
 *
 * Linux can make the instruction CPUID fault (arch_prctl(2), ARCH_CPUID). The
 * handler runs it and clears the bits of what is wider than AVX2. New threads
 * inherit the fault. Where the processor cannot, the program ends at once. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { kArchSetCpuid = 0x1012 };

static int AllowCpuid(unsigned long allowed) {
  return (int)syscall(SYS_arch_prctl, kArchSetCpuid, allowed);
}

static void Hide(unsigned leaf, unsigned subleaf, unsigned* eax, unsigned* ebx,
                 unsigned* ecx, unsigned* edx) {
  if (leaf == 7 && subleaf == 0) {
    /* F, DQ, IFMA, PF, ER, CD, BW, VL */
    *ebx &= ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 |
              1u << 30 | 1u << 31);
    /* VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ */
    *ecx &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
    /* 4VNNIW, 4FMAPS, VP2INTERSECT, AMX-BF16, FP16, AMX-TILE, AMX-INT8 */
    *edx &= ~(1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 |
              1u << 25);
  } else if (leaf == 7 && subleaf == 1) {
    /* AVX-VNNI, AVX512-BF16, AMX-FP16, AVX-IFMA */
    *eax &= ~(1u << 4 | 1u << 5 | 1u << 21 | 1u << 23);
    /* AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16, AVX10 */
    *edx &= ~(1u << 4 | 1u << 5 | 1u << 10 | 1u << 19);
  } else if (leaf == 0x1d || leaf == 0x1e || leaf == 0x24) { /* AMX, AVX10 */
    *eax = *ebx = *ecx = *edx = 0;
  }
}

static void OnFault(int number, siginfo_t* info, void* context) {
  (void)info;
  greg_t* registers = ((ucontext_t*)context)->uc_mcontext.gregs;
  const unsigned char* code = (const unsigned char*)registers[REG_RIP];
  if (code[0] != 0x0f || code[1] != 0xa2) { /* a true fault */
    signal(number, SIG_DFL);
    return;
  }
  const unsigned leaf = (unsigned)registers[REG_RAX];
  const unsigned subleaf = (unsigned)registers[REG_RCX];
  unsigned eax, ebx, ecx, edx;
  AllowCpuid(1);
  __cpuid_count(leaf, subleaf, eax, ebx, ecx, edx);
  AllowCpuid(0);
  Hide(leaf, subleaf, &eax, &ebx, &ecx, &edx);
  registers[REG_RAX] = eax;
  registers[REG_RBX] = ebx;
  registers[REG_RCX] = ecx;
  registers[REG_RDX] = edx;
  registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void Start(void) {
  struct sigaction action = {.sa_sigaction = OnFault,
                             .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  if (AllowCpuid(0) != 0) {
    fputs("avx2_only: this machine cannot hide instructions\n", stderr);
    _exit(97);
  }
}
