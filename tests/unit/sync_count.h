/*
 * sync_count: how often SQLite has told the disk to keep what was written, by a VFS around its own
 * that becomes the default. Included by tests of what is durable.
 */
#ifndef TESTS_SYNC_COUNT_H
#define TESTS_SYNC_COUNT_H

#include <sqlite3.h>
#include <stddef.h>

/* The VFS has one table of calls for files that are locked, and one for journals. */
struct counted_methods {
    sqlite3_io_methods methods; /* first: what a file of ours points to */
    const sqlite3_io_methods *real;
};

static struct {
    sqlite3_vfs vfs, *real;
    struct counted_methods tables[4];
    size_t n_tables;
    int syncs;
} sync_count;

static inline int counted_sync(sqlite3_file *file, int flags)
{
    sync_count.syncs++;
    return ((const struct counted_methods *)file->pMethods)->real->xSync(file, flags);
}

static inline const sqlite3_io_methods *counted_table(const sqlite3_io_methods *real)
{
    for (size_t i = 0; i < sync_count.n_tables; i++) {
        if (sync_count.tables[i].real == real) {
            return &sync_count.tables[i].methods;
        }
    }
    if (sync_count.n_tables == sizeof sync_count.tables / sizeof *sync_count.tables) {
        return real;
    }
    struct counted_methods *table = &sync_count.tables[sync_count.n_tables++];
    *table = (struct counted_methods){*real, real};
    table->methods.xSync = counted_sync;
    return &table->methods;
}

static inline int counted_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                               int *flags_out)
{
    (void)vfs;
    int code = sync_count.real->xOpen(sync_count.real, name, file, flags, flags_out);
    if (code == SQLITE_OK) {
        file->pMethods = counted_table(file->pMethods);
    }
    return code;
}

static inline void sync_count_begin(void)
{
    if (!sync_count.real) {
        sync_count.real = sqlite3_vfs_find(NULL);
        sync_count.vfs = *sync_count.real;
        sync_count.vfs.zName = "counting";
        sync_count.vfs.xOpen = counted_open;
        sqlite3_vfs_register(&sync_count.vfs, 1);
    }
    sync_count.syncs = 0;
}

/* Since it was last asked. */
static inline int sync_count_take(void)
{
    int syncs = sync_count.syncs;
    sync_count.syncs = 0;
    return syncs;
}

#endif
