/* Preloaded into nginx by t/ring_aside.t: while the file $FOOTFALL_DEADLY is there, a commit kills its process, as a damaged
 * page may. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char* file;

/* nginx writes its processes' titles over the environment that it was started with. */
__attribute__((constructor)) static void begin(void) {
    const char* name = getenv("FOOTFALL_DEADLY");
    if (name != NULL) file = strdup(name);
}

int mdb_txn_commit(void* txn) {
    int (*commit)(void*) = (int (*)(void*))dlsym(RTLD_NEXT, "mdb_txn_commit");
    if (file != NULL && access(file, F_OK) == 0) *(volatile char*)0 = 0;
    return commit(txn);
}
