/* What tests do to an LMDB environment behind footfall's back.
 *   lmdb_tool hold FOLDER COUNT   begins COUNT read transactions (fewer where there is no room), says how many, keeps them
 *   lmdb_tool drop FOLDER INDEX   removes the entry of that index, says the length of its value */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static MDB_env* open_env(const char* folder, unsigned flags) {
    MDB_env* env = NULL;
    int code = mdb_env_create(&env);
    if (code == 0) code = mdb_env_set_maxdbs(env, 16);
    if (code == 0) code = mdb_env_open(env, folder, flags | MDB_NOTLS, 0660);
    if (code == 0) return env;
    fprintf(stderr, "%s: %s\n", folder, mdb_strerror(code));
    exit(1);
}

static int hold(const char* folder, int count) {
    MDB_env* env = open_env(folder, MDB_RDONLY);
    MDB_txn* txn;
    int held = 0;
    while (held < count && mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0) ++held;
    printf("%d held\n", held);
    fflush(stdout);
    for (;;) pause();
}

static int drop(const char* folder, int index) {
    MDB_env* env = open_env(folder, 0);
    MDB_txn* txn;
    MDB_dbi database;
    MDB_cursor* cursor;
    MDB_val key, value;
    int code = mdb_txn_begin(env, NULL, 0, &txn);
    if (code == 0) code = mdb_dbi_open(txn, NULL, 0, &database);
    if (code == 0) code = mdb_cursor_open(txn, database, &cursor);
    if (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; code == 0 && index > 0; --index) code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    if (code == 0) printf("%zu bytes\n", value.mv_size);
    if (code == 0) code = mdb_cursor_del(cursor, 0);
    if (code == 0) code = mdb_txn_commit(txn);
    if (code != 0) fprintf(stderr, "%s\n", mdb_strerror(code));
    mdb_env_close(env);
    return code != 0;
}

int main(int count, char** argument) {
    if (count == 4 && strcmp(argument[1], "hold") == 0) return hold(argument[2], atoi(argument[3]));
    if (count == 4 && strcmp(argument[1], "drop") == 0) return drop(argument[2], atoi(argument[3]));
    return 2;
}
