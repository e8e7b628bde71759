/* Preloaded into nginx by t/request_path.t: counts what a process's first thread allocates, releases and locks, in the
 * file $FOOTFALL_COUNTS (three numbers of 64 bits, shared by the master and the worker that it forks). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kAllocations, kReleases, kLocks, kCounts };
static uint64_t before_the_file[kCounts];
static uint64_t* counts = before_the_file;

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
extern void __libc_free(void*);

static void count(int what) {
  static __thread int is_first; /* 0: not asked yet */
  if (is_first == 0) is_first = syscall(SYS_gettid) == getpid() ? 1 : -1;
  if (is_first == 1) ++counts[what];
}

__attribute__((constructor)) static void open_counts(void) {
  const char* path = getenv("FOOTFALL_COUNTS");
  int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* map = mmap(NULL, sizeof before_the_file, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map != MAP_FAILED) counts = map;
  close(fd);
}

void* malloc(size_t bytes) { return count(kAllocations), __libc_malloc(bytes); }
void* calloc(size_t many, size_t bytes) { return count(kAllocations), __libc_calloc(many, bytes); }
void* realloc(void* old, size_t bytes) { return count(kAllocations), __libc_realloc(old, bytes); }
void* memalign(size_t to, size_t bytes) { return count(kAllocations), __libc_memalign(to, bytes); }
void* aligned_alloc(size_t to, size_t bytes) { return memalign(to, bytes); }
int posix_memalign(void** made, size_t to, size_t bytes) { return (*made = memalign(to, bytes)) != NULL ? 0 : ENOMEM; }
void free(void* old) {
  count(kReleases);
  __libc_free(old);
}

#define COUNT_LOCK(name, type)                           \
  int name(type* lock) {                                 \
    static int (*next)(type*);                           \
    if (next == NULL) next = dlsym(RTLD_NEXT, #name);    \
    count(kLocks);                                       \
    return next(lock);                                   \
  }
COUNT_LOCK(pthread_mutex_lock, pthread_mutex_t)
COUNT_LOCK(pthread_mutex_trylock, pthread_mutex_t)
COUNT_LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
COUNT_LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
