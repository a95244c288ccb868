// Preloaded into Node.js: writes each entry into a function of the addon, with its stack, to the
// file of OAUTH_ROTOR_ENTRIES.
//
// The addon is built with `-Z instrument-mcount`, so each of its functions calls `mcount` first.
// While the file's first byte is 1, every such call appends a record: depth, time, thread, and the
// return addresses of all frames, innermost first. The second word says how many words the records
// have.

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 1 << 25, DEEPEST = 512 };

static volatile uint64_t *words;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("OAUTH_ROTOR_ENTRIES");
  int file = path ? open(path, O_RDWR | O_CREAT, 0600) : -1;
  if (file < 0 || ftruncate(file, WORDS * sizeof *words)) return;
  void *map = mmap(NULL, WORDS * sizeof *words, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (map != MAP_FAILED) words = map;
}

static uintptr_t top_of_stack(void) {
  static __thread uintptr_t top;
  if (top) return top;
  pthread_attr_t attributes;
  void *bottom;
  size_t size;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &bottom, &size);
  pthread_attr_destroy(&attributes);
  return top = (uintptr_t)bottom + size;
}

__attribute__((used)) static void note(uintptr_t address, uintptr_t *frame) {
  if (!words || !(words[0] & 1)) return;
  uint64_t stack[DEEPEST], depth = 0;
  stack[depth++] = address;
  uintptr_t top = top_of_stack() - 2 * sizeof *frame;
  while ((uintptr_t)frame <= top && depth < DEEPEST) {
    uintptr_t *outer = (uintptr_t *)frame[0];
    stack[depth++] = frame[1];
    if (outer <= frame || (uintptr_t)outer % sizeof *frame) break;
    frame = outer;
  }
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t at = 2 + __atomic_fetch_add(&words[1], depth + 3, __ATOMIC_RELAXED);
  if (at + depth + 3 > WORDS) abort();
  words[at] = depth;
  words[at + 1] = now.tv_sec * 1000000000ull + now.tv_nsec;
  words[at + 2] = syscall(SYS_gettid);
  for (uint64_t i = 0; i < depth; i++) words[at + 3 + i] = stack[i];
}

// It is called before the function has looked at its arguments, so that it must keep every
// register.
__asm__(".globl mcount\n.type mcount,@function\nmcount:\n"
        "push %rax; push %rcx; push %rdx; push %rsi; push %rdi; push %r8; push %r9; push %r10; push %r11\n"
        "mov 72(%rsp), %rdi; mov %rbp, %rsi\n"
        "push %rbp; mov %rsp, %rbp; sub $128, %rsp; and $-16, %rsp\n"
        "movups %xmm0, (%rsp); movups %xmm1, 16(%rsp); movups %xmm2, 32(%rsp); movups %xmm3, 48(%rsp)\n"
        "movups %xmm4, 64(%rsp); movups %xmm5, 80(%rsp); movups %xmm6, 96(%rsp); movups %xmm7, 112(%rsp)\n"
        "call note\n"
        "movups (%rsp), %xmm0; movups 16(%rsp), %xmm1; movups 32(%rsp), %xmm2; movups 48(%rsp), %xmm3\n"
        "movups 64(%rsp), %xmm4; movups 80(%rsp), %xmm5; movups 96(%rsp), %xmm6; movups 112(%rsp), %xmm7\n"
        "mov %rbp, %rsp; pop %rbp\n"
        "pop %r11; pop %r10; pop %r9; pop %r8; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rax\n"
        "ret\n");
