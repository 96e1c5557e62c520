/* The runtime library: memory, the driver that walks a program's commands, and the threads that walk in step with it.
   Compiled once per machine; kernels are libraries of their own that this one opens. */
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

/* ---- Memory ---- */

/** Bytes behind every allocation that vector loads may touch. */
enum { SLACK = 256 };
enum { HUGE_PAGE = 1 << 21 };

void *athanor_allocate(int64_t bytes) {
  size_t size = (size_t)bytes + SLACK;
  void *memory = NULL;
  if (posix_memalign(&memory, size >= HUGE_PAGE ? HUGE_PAGE : 64, size) != 0) return NULL;
#if defined(__linux__)
  if (size >= HUGE_PAGE) madvise(memory, size, MADV_HUGEPAGE);
#endif
  return memory;
}

void athanor_free(void *memory) { free(memory); }

/** Copies of so many bytes go past the caches. */
enum { MUCH = 8 << 20 };

#if defined(__x86_64__)
#if defined(__AVX__)
#define STREAM_STORE "vmovntps"
#else
#define STREAM_STORE "movntps"
#endif
typedef float quad __attribute__((vector_size(16)));
typedef float quad_memory __attribute__((vector_size(16), aligned(1), may_alias));

static void copy_past_caches(char *to, const char *from, size_t bytes) {
  const size_t start = -(uintptr_t)to & 63;
  memcpy(to, from, start);
  size_t i = start;
  for (; i + 64 <= bytes; i += 64) {
    __builtin_prefetch(from + i + 4096);
    for (size_t part = 0; part < 64; part += 16) {
      const quad x = *(const quad_memory *)(from + i + part);
      __asm__ volatile(STREAM_STORE " %1, %0" : "=m"(*(quad *)(to + i + part)) : "x"(x));
    }
  }
  memcpy(to + i, from + i, bytes - i);
  __asm__ volatile("sfence" ::: "memory");
}
#else
static void copy_past_caches(char *to, const char *from, size_t bytes) { memcpy(to, from, bytes); }
#endif

void athanor_copy(void *to, const void *from, int64_t bytes) { memcpy(to, from, (size_t)bytes); }
void athanor_fill(void *to, int32_t byte, int64_t bytes) { memset(to, byte, (size_t)bytes); }

/* ---- Kernels ---- */

void *athanor_open(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }
const char *athanor_error(void) { return dlerror(); }
void *athanor_symbol(void *library, const char *name) { return dlsym(library, name); }

/** The library whose exp, log, … float64 uses: part of what can change bits. */
const char *athanor_libc(void) {
#if defined(__GLIBC__)
  return gnu_get_libc_version();
#else
  return "other";
#endif
}

/* ---- Waiting ---- */

enum { CACHE_LINE = 64 };

/** A number that threads wait for to change. */
struct word {
  _Alignas(CACHE_LINE) _Atomic int32_t value;
};

static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_condition = PTHREAD_COND_INITIALIZER;
static _Atomic int32_t sleepers;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/** Spins for a while, then sleeps, until the word differs from `old`. */
static void wait_for(struct word *word, int32_t old, int64_t spin_nanoseconds) {
  if (spin_nanoseconds > 0) {
    int64_t stop = now() + spin_nanoseconds;
    do {
      for (int i = 0; i < 32; i++) {
        if (atomic_load_explicit(&word->value, memory_order_acquire) != old) return;
        pause_briefly();
      }
    } while (now() < stop);
  }
  pthread_mutex_lock(&sleep_lock);
  atomic_fetch_add(&sleepers, 1);
  while (atomic_load(&word->value) == old) pthread_cond_wait(&sleep_condition, &sleep_lock);
  atomic_fetch_sub(&sleepers, 1);
  pthread_mutex_unlock(&sleep_lock);
}

static void change(struct word *word) { atomic_fetch_add(&word->value, 1); }

static void wake_sleepers(void) {
  if (atomic_load(&sleepers) == 0) return;
  pthread_mutex_lock(&sleep_lock);
  pthread_cond_broadcast(&sleep_condition);
  pthread_mutex_unlock(&sleep_lock);
}

/* ---- Programs ---- */

typedef void (*kernel)(char *const *arguments, int64_t first, int64_t end, char *scratch, char *shared, int32_t *flags);

enum { BARRIER = 1, PARALLEL = 2 };
enum { MOST_ARGUMENTS = 64 };

struct command {
  int64_t function;
  int64_t flags;
  int64_t units;
  int64_t argument; /* Position of the first one. */
  int64_t arguments;
};

struct argument {
  int64_t buffer;
  int64_t bytes; /* Offset from the start of the buffer. */
};

struct job {
  const struct command *commands;
  int64_t count;
  const struct argument *arguments;
  const double *buffers; /* Addresses. */
  char *scratch;
  int64_t scratch_stride;
  char *shared;
  int32_t threads;
  int32_t delays;
  int64_t spin;
  /* For each command and thread, how many units of the thread's share are taken. */
  _Atomic int64_t *taken;
  _Atomic int32_t flags;
};

static struct job job;
static _Atomic int64_t *taken;
static int64_t taken_count;
static struct word arrived, phase;

/** All threads of the job are here before any goes on. */
static void meet(void) {
  /* Read first: once all are here, the next job may begin. */
  const int32_t threads = job.threads, old = atomic_load(&phase.value);
  const int64_t spin = job.spin;
  if (atomic_fetch_add(&arrived.value, 1) + 1 == threads) {
    atomic_store(&arrived.value, 0);
    change(&phase);
    wake_sleepers();
  } else
    wait_for(&phase, old, spin);
}

static void delay(uint64_t *random) {
  *random = *random * 6364136223846793005u + 1442695040888963407u;
  if (*random >> 62 == 0) usleep((useconds_t)(*random >> 40) % 200);
}

/** Takes half of what is left of a thread's share; false if nothing is. */
static int take(_Atomic int64_t *taken, int64_t begin, int64_t end, int64_t *first, int64_t *last) {
  int64_t some = atomic_load_explicit(taken, memory_order_relaxed);
  while (begin + some < end) {
    const int64_t count = (end - begin - some + 1) / 2;
    if (!atomic_compare_exchange_weak(taken, &some, some + count)) continue;
    *first = begin + some;
    *last = *first + count;
    return 1;
  }
  return 0;
}

static void walk(int32_t thread) {
  const int32_t threads = job.threads;
  uint64_t random = (uint64_t)now() + (uint64_t)thread;
  char *pointers[MOST_ARGUMENTS];
  for (const struct command *command = job.commands, *end = command + job.count; command < end; command++) {
    if (threads > 1) {
      if (command->flags & BARRIER) meet();
      if (job.delays) delay(&random);
    }
    const int parallel = command->flags & PARALLEL && threads > 1;
    if (!parallel && thread != 0) continue;
    for (int64_t i = 0; i < command->arguments; i++) {
      const struct argument *argument = job.arguments + command->argument + i;
      pointers[i] = (char *)(uintptr_t)job.buffers[argument->buffer] + argument->bytes;
    }
    int32_t flags = 0;
    char *const scratch = job.scratch + job.scratch_stride * thread;
    if (parallel) {
      /* The own share first, then what others have not begun: units are independent, so who runs them changes nothing. */
      _Atomic int64_t *const shares = job.taken + (command - job.commands) * threads;
      for (int32_t i = 0; i < threads; i++) {
        const int32_t owner = (thread + i) % threads;
        const int64_t begin = command->units * owner / threads, share = command->units * (owner + 1) / threads;
        for (int64_t first, last; take(shares + owner, begin, share, &first, &last);) ((kernel)(uintptr_t)command->function)(pointers, first, last, scratch, job.shared, &flags);
      }
    } else
      ((kernel)(uintptr_t)command->function)(pointers, 0, command->units, scratch, job.shared, &flags);
    if (flags != 0) atomic_fetch_or(&job.flags, flags);
  }
}

/* ---- Threads ---- */

enum { MOST_THREADS = 256 };

static struct word starts[MOST_THREADS];
static pthread_t workers[MOST_THREADS];
static int32_t running = 1; /* Threads that exist, the caller's among them. */
static int32_t users;
static _Atomic int32_t ending;
static pthread_mutex_t run_lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *parameter) {
  const int32_t thread = (int32_t)(intptr_t)parameter;
  int32_t seen = 0;
  int64_t spin = 0;
  for (;;) {
    wait_for(&starts[thread], seen, spin);
    seen++;
    if (atomic_load(&ending)) return NULL;
    walk(thread);
    spin = job.spin;
    meet();
  }
}

/** Starts threads until `threads` exist; tells how many there are. */
static int32_t grow(int32_t threads) {
  while (running < threads && running < MOST_THREADS) {
    atomic_store(&starts[running].value, 0);
    if (pthread_create(&workers[running], NULL, work, (void *)(intptr_t)running) != 0) break;
    running++;
  }
  return running;
}

/** Counts a backend that will run programs. */
void athanor_retain(void) {
  pthread_mutex_lock(&run_lock);
  users++;
  pthread_mutex_unlock(&run_lock);
}

/** The last backend to go ends all threads. */
void athanor_release(void) {
  pthread_mutex_lock(&run_lock);
  if (--users == 0 && running > 1) {
    atomic_store(&ending, 1);
    for (int32_t i = 1; i < running; i++) change(&starts[i]);
    wake_sleepers();
    for (int32_t i = 1; i < running; i++) pthread_join(workers[i], NULL);
    running = 1;
    atomic_store(&ending, 0);
  }
  pthread_mutex_unlock(&run_lock);
}

int32_t athanor_processors(void) { return (int32_t)sysconf(_SC_NPROCESSORS_ONLN); }

/** Runs commands; gives the flags that kernels raised. Runs of several callers follow each other. */
int32_t athanor_run(const void *commands, int64_t count, const void *arguments, const double *buffers, void *scratch, int64_t scratch_stride,
                    void *shared, int32_t threads, int32_t delays, int64_t spin_nanoseconds) {
  pthread_mutex_lock(&run_lock);
  const int32_t available = threads > 1 ? grow(threads) : 1;
  job.commands = commands;
  job.count = count;
  job.arguments = arguments;
  job.buffers = buffers;
  job.scratch = scratch;
  job.scratch_stride = scratch_stride;
  job.shared = shared;
  job.threads = threads < available ? threads : available;
  job.delays = delays;
  job.spin = spin_nanoseconds;
  atomic_store(&job.flags, 0);
  if (job.threads > 1) {
    const int64_t needed = count * job.threads;
    if (needed > taken_count) {
      free((void *)taken);
      taken = malloc((size_t)needed * sizeof *taken);
      taken_count = taken == NULL ? 0 : needed;
    }
    if (taken == NULL) job.threads = 1;
    else memset((void *)taken, 0, (size_t)needed * sizeof *taken);
    job.taken = taken;
  }
  for (int32_t i = 1; i < job.threads; i++) change(&starts[i]);
  if (job.threads > 1) wake_sleepers();
  walk(0);
  if (job.threads > 1) meet();
  const int32_t flags = atomic_load(&job.flags);
  pthread_mutex_unlock(&run_lock);
  return flags;
}

/* ---- Copies by all threads ---- */

enum { PIECE = 1 << 18 };

struct copy {
  char *to;
  const char *from;
  int64_t bytes;
};

static void copy_pieces(char *const *arguments, int64_t first, int64_t end, char *scratch, char *shared, int32_t *flags) {
  const struct copy *copy = (const struct copy *)arguments[0];
  const int64_t start = first * PIECE, stop = end * PIECE < copy->bytes ? end * PIECE : copy->bytes;
  if (copy->bytes >= MUCH) copy_past_caches(copy->to + start, copy->from + start, (size_t)(stop - start));
  else memcpy(copy->to + start, copy->from + start, (size_t)(stop - start));
}

/** Copies what a program reads; much of it with all threads. */
void athanor_bring(void *to, const void *from, int64_t bytes, int32_t threads, int64_t spin_nanoseconds) {
  if (bytes <= PIECE) {
    memcpy(to, from, (size_t)bytes);
    return;
  }
  const struct copy copy = {to, from, bytes};
  const struct command command = {(int64_t)(uintptr_t)copy_pieces, PARALLEL, (bytes + PIECE - 1) / PIECE, 0, 1};
  const struct argument argument = {0, 0};
  const double address = (double)(uintptr_t)&copy;
  athanor_run(&command, 1, &argument, &address, NULL, 0, NULL, threads, 0, spin_nanoseconds);
}
