/* Preloaded into `footfall` by scripts/torture-aggregator, and into nginx for its clock: dies, or has no room, at an exact point of its writing to the store.
 *
 *   FOOTFALL_POINTS=FILE   counts the points: u64, then 120 bytes of text, the last one's name. Mapped, so a kill leaves it right
 *   FOOTFALL_STORE=PATH    points are what is done to files below it: writes, syncs, names, lengths
 *   FOOTFALL_DIE=N:HOW     SIGKILL at the N-th, `before` it, `after` it, or with `half` of it written
 *   FOOTFALL_FULL=N:M      from the N-th to before the M-th the disk is full: what would make files longer fails
 *   FOOTFALL_CLOCK=FILE    the clock: i64, milliseconds since 1970, mapped; then sleeps are a tenth as long
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum how { before, half, after };
struct points {
    unsigned long long count;
    char last[120];
};

static struct points none, *points = &none;
static const char* store;
static size_t store_bytes;
static unsigned long long die_at, full_from, full_to;
static enum how how;
static const volatile long long* clock_ms;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void* mapped(const char* name, size_t bytes, int is_written) {
    const char* path = getenv(name);
    int fd = path == NULL ? -1 : open(path, is_written ? O_RDWR : O_RDONLY);
    void* at = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, is_written ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0) close(fd);
    if (path != NULL && at == MAP_FAILED) abort();
    return at == MAP_FAILED ? NULL : at;
}

__attribute__((constructor)) static void begin(void) {
    char said[16] = "";
    struct points* counted = mapped("FOOTFALL_POINTS", sizeof *points, 1);
    if (counted != NULL) points = counted;
    clock_ms = mapped("FOOTFALL_CLOCK", sizeof *clock_ms, 0);
    store = getenv("FOOTFALL_STORE");
    store_bytes = store == NULL ? 0 : strlen(store);
    if (getenv("FOOTFALL_DIE") != NULL) sscanf(getenv("FOOTFALL_DIE"), "%llu:%15s", &die_at, said);
    how = strcmp(said, "half") == 0 ? half : strcmp(said, "after") == 0 ? after : before;
    if (getenv("FOOTFALL_FULL") != NULL) sscanf(getenv("FOOTFALL_FULL"), "%llu:%llu", &full_from, &full_to);
}

/* The number of this point, 0 where it is none of the store. */
static unsigned long long point(const char* what, const char* path) {
    if (store_bytes == 0 || path == NULL || strncmp(path, store, store_bytes) != 0) return 0;
    unsigned long long number = __atomic_add_fetch(&points->count, 1, __ATOMIC_SEQ_CST);
    snprintf(points->last, sizeof points->last, "%s %s", what, path + store_bytes);
    return number;
}

static unsigned long long point_of(const char* what, int fd) {
    char name[64], path[4096];
    if (store_bytes == 0) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t bytes = readlink(name, path, sizeof path - 1);
    if (bytes <= 0) return 0;
    path[bytes] = 0;
    return point(what, path);
}

static void die(void) { kill(getpid(), SIGKILL); pause(); }
static int is_full(unsigned long long number) { return number != 0 && number >= full_from && number < full_to; }

/* A page is written whole or not at all: a kill comes between pages. */
static size_t half_of(size_t bytes) { return bytes / 2 / 4096 * 4096; }

#define AT(number, whole, part)                        \
    do {                                               \
        if (number != 0 && number == die_at) {         \
            if (how == half) { part; }                 \
            if (how == after) { whole; }               \
            die();                                     \
        }                                              \
        return whole;                                  \
    } while (0)

static ssize_t no_room(void) { errno = ENOSPC; return -1; }

ssize_t write(int fd, const void* from, size_t bytes) {
    unsigned long long number = point_of("write", fd);
    if (is_full(number)) return no_room();
    AT(number, REAL(write)(fd, from, bytes), REAL(write)(fd, from, half_of(bytes)));
}

ssize_t pwrite(int fd, const void* from, size_t bytes, off_t at) {
    unsigned long long number = point_of("pwrite", fd);
    if (is_full(number)) return no_room();
    AT(number, REAL(pwrite)(fd, from, bytes, at), REAL(pwrite)(fd, from, half_of(bytes), at));
}

ssize_t pwrite64(int fd, const void* from, size_t bytes, off64_t at) { return pwrite(fd, from, bytes, at); }

ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t at) {
    unsigned long long number = point_of("pwritev", fd);
    if (is_full(number)) return no_room();
    AT(number, REAL(pwritev)(fd, parts, count, at), REAL(pwritev)(fd, parts, count / 2, at));
}

ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t at) { return pwritev(fd, parts, count, at); }

int ftruncate(int fd, off_t bytes) {
    unsigned long long number = point_of("ftruncate", fd);
    if (is_full(number)) return (int)no_room();
    AT(number, REAL(ftruncate)(fd, bytes), (void)0);
}

int ftruncate64(int fd, off64_t bytes) { return ftruncate(fd, bytes); }

int fsync(int fd) { unsigned long long number = point_of("fsync", fd); AT(number, REAL(fsync)(fd), (void)0); }
int fdatasync(int fd) { unsigned long long number = point_of("fdatasync", fd); AT(number, REAL(fdatasync)(fd), (void)0); }
int msync(void* at, size_t bytes, int flags) {
    unsigned long long number = point("msync", store);
    AT(number, REAL(msync)(at, bytes, flags), (void)0);
}
int rename(const char* from, const char* to) { unsigned long long number = point("rename", to); AT(number, REAL(rename)(from, to), (void)0); }
int link(const char* from, const char* to) { unsigned long long number = point("link", to); AT(number, REAL(link)(from, to), (void)0); }
int unlink(const char* path) { unsigned long long number = point("unlink", path); AT(number, REAL(unlink)(path), (void)0); }

/* --- the clock ------------------------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec* to) {
    if (clock_ms == NULL || clock != CLOCK_REALTIME) return REAL(clock_gettime)(clock, to);
    to->tv_sec = *clock_ms / 1000;
    to->tv_nsec = *clock_ms % 1000 * 1000000;
    return 0;
}

int gettimeofday(struct timeval* restrict to, void* restrict zone) {
    if (clock_ms == NULL) return REAL(gettimeofday)(to, zone);
    to->tv_sec = *clock_ms / 1000;
    to->tv_usec = *clock_ms % 1000 * 1000;
    return 0;
}

static struct timespec shorter(const struct timespec* wanted) {
    long long ns = wanted->tv_sec * 1000000000LL + wanted->tv_nsec;
    if (clock_ms != NULL) ns /= 10;
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

int nanosleep(const struct timespec* wanted, struct timespec* left) {
    struct timespec time = shorter(wanted);
    return REAL(nanosleep)(&time, left);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec* wanted, struct timespec* left) {
    struct timespec time = flags == 0 ? shorter(wanted) : *wanted;
    return REAL(clock_nanosleep)(clock, flags, &time, left);
}
