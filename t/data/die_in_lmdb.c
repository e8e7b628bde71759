/* Preloaded by t/ring_aside.t: while the file $FOOTFALL_DEADLY is there, LMDB kills its process, as a damaged page may. Empty, it is
 * a commit that kills; else whoever goes through an environment whose path ends like the file's content. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char* file;

/* nginx writes its processes' titles over the environment that it was started with. */
__attribute__((constructor)) static void begin(void) {
    const char* name = getenv("FOOTFALL_DEADLY");
    if (name != NULL) file = strdup(name);
}

/* The file's content; -1: it is not there. */
static ssize_t deadly(char* content, size_t bytes) {
    if (file == NULL) return -1;
    int fd = open(file, O_RDONLY);
    if (fd < 0) return -1;
    ssize_t got = read(fd, content, bytes);
    close(fd);
    return got;
}

static volatile char* volatile nowhere;
static void die(void) { *nowhere = 0; }

int mdb_txn_commit(void* txn) {
    int (*commit)(void*) = (int (*)(void*))dlsym(RTLD_NEXT, "mdb_txn_commit");
    char content[256];
    if (deadly(content, sizeof content) == 0) die();
    return commit(txn);
}

int mdb_cursor_open(void* txn, unsigned database, void** cursor) {
    int (*open_cursor)(void*, unsigned, void**) = (int (*)(void*, unsigned, void**))dlsym(RTLD_NEXT, "mdb_cursor_open");
    void* (*env_of)(void*) = (void* (*)(void*))dlsym(RTLD_NEXT, "mdb_txn_env");
    int (*path_of)(void*, const char**) = (int (*)(void*, const char**))dlsym(RTLD_NEXT, "mdb_env_get_path");
    char content[256];
    const ssize_t bytes = deadly(content, sizeof content);
    const char* path = "";
    if (bytes > 0 && path_of(env_of(txn), &path) == 0 && strlen(path) >= (size_t)bytes &&
        memcmp(path + strlen(path) - bytes, content, (size_t)bytes) == 0)
        die();
    return open_cursor(txn, database, cursor);
}
