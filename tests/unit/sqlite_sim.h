/*
 * sqlite_sim: a world for the tests of the sqlite datasource: a store in a folder of its own,
 * looked at through a connection of the test's own. Waiting is simulated and may let go of a lock
 * that the test holds.
 */
#ifndef SQLITE_SIM_H
#define SQLITE_SIM_H

#include "api/datasource.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "point_values.h"

extern const struct datasource sqlite_datasource;

struct sim {
    struct world world;
    int waits, waits_until_unlock; /* 0 = never */
    int waits_until_stop;
    sqlite3 *locker;
    char notice[256];
};

struct fixture {
    char folder[64], path[96];
    struct sim sim;
    void *self;
    struct err err;
};

/* For cmocka; *state becomes the fixture. */
int sim_set_up(void **state);
int sim_tear_down(void **state);
#define SIM_TEST(name) cmocka_unit_test_setup_teardown(name, sim_set_up, sim_tear_down)

/* Another instance on the same world. */
void *sim_store_new(struct fixture *f, const char *path);
void sim_store_free(void *self);

void sim_put(struct fixture *f, const struct point *point);
enum status sim_flush(struct fixture *f);
void sim_flush_ok(struct fixture *f);

/* The store's file, by a connection that is not the store's. */
sqlite3 *sim_open_beside(struct fixture *f);
void sim_run(struct fixture *f, const char *sql);

/* All rows of a query: values joined by '|', a row a line. */
void sim_expect_rows(struct fixture *f, const char *sql, const char *expected);

/* "audit-01": tags api.name and bucket, fields message (text) and ttr (whole number) */
extern const struct schema sim_audit;
struct point sim_audit_point(const struct slice *tags, const struct value *fields, int64_t time);

#endif
