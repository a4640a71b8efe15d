/* Tests of ledger/ledger with several processes on one file, and with processes that are killed. */
#include "ledger_place.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { KEYS = 3000, GROUP = 50 };

/* --- a child that lists and settles without end --- */

static enum status list_keys(struct ledger_place *place)
{
    struct ledger_join *join;
    struct join_counts counts;
    if (ledger_join_begin(&join, place->ledger, place->scope, slice_of(""), all_time, true, 0,
                          &place->err) != OK) {
        return place->err.status;
    }
    enum status status = OK;
    for (int i = 0; status == OK && i < KEYS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%06d", i);
        struct object object = object_of(key, 1, 123456, 0);
        status = ledger_join_put(join, &object, &place->err);
    }
    enum status ended = ledger_join_end(join, status == OK, &counts, &place->err);
    return status == OK ? ended : status;
}

static enum status settle_group(struct ledger_place *place, struct ledger_work *work)
{
    CLEANUP(arena_finish) struct arena keys = {0};
    struct outcome outcomes[GROUP];
    struct object object;
    enum status status = OK;
    size_t n = 0;
    while (n < GROUP && (status = ledger_work_next(work, &keys, &object, &place->err)) == OK) {
        outcomes[n] = outcome_of(&object, OBJECT_SETTLED, 1);
        outcomes[n].read = 1502;
        outcomes[n].sinks[0] = (struct sink_counts){1500, 2, 0, 0};
        n++;
    }
    enum status settled = ledger_settle(place->ledger, place->scope, outcomes, n, &place->err);
    return settled == OK ? status : settled;
}

static enum status settle_keys(struct ledger_place *place)
{
    struct ledger_work *work;
    struct work_totals totals;
    enum status status =
        ledger_work_begin(&work, place->ledger, place->scope, all_time, &totals, &place->err);
    while (status == OK) {
        status = settle_group(place, work);
    }
    ledger_work_end(work);
    return status == AGAIN ? OK : status;
}

static void run_for_ever(struct ledger_place *place)
{
    for (;;) {
        if (ledger_open(&place->ledger, place->path, &place->err) != OK ||
            ledger_scope(place->ledger, "lyve", &lyve, &place->scope, &place->err) != OK ||
            list_keys(place) != OK || settle_keys(place) != OK) {
            fprintf(stderr, "%s\n", place->err.text);
            _exit(1);
        }
        ledger_close(place->ledger);
    }
}

static pid_t start_child(struct ledger_place *place)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run_for_ever(place);
    }
    return child;
}

static void assert_killed(pid_t child)
{
    int ended;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended)); /* it had not given up before */
}

/* --- the tests --- */

/* Killed at any moment, the creation included: it opens, it is whole, its rows fit together. */
static void test_kills(void **state)
{
    struct ledger_place *place = *state;
    for (int i = 0; i < 20; i++) {
        pid_t child = start_child(place);
        nanosleep(&(const struct timespec){.tv_nsec = (1 + i * 7) * NS_PER_MS}, NULL);
        assert_killed(child);
        assert_ok(place, ledger_open(&place->ledger, place->path, &place->err));
        ledger_close(place->ledger);
        place->ledger = NULL;
        assert_int_equal(ask(place, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
                         1);
        assert_int_equal(ask(place, "SELECT count(*) FROM object WHERE state <> 0"
                                    " AND counts IS NULL"),
                         0);
        if (i % 4 == 3) {
            unlink(place->path); /* so that creation is hit more than once */
        }
    }
}

/* Two writers and a reader on one file: nobody is turned away, nobody sees half a change. */
static void test_two_processes(void **state)
{
    struct ledger_place *place = *state;
    pid_t first = start_child(place), second = start_child(place);
    assert_ok(place, ledger_open(&place->ledger, place->path, &place->err));
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    uint64_t looks = 0;
    do {
        struct job_status status;
        assert_ok(place,
                  ledger_job_status(place->ledger, "lyve", sink_names, 3, &status, &place->err));
        assert_int_equal(status.read, status.sinks[0].stored + status.sinks[0].duplicate);
        int64_t run;
        assert_ok(place, ledger_run_begin(place->ledger, "third", 1, &run, &place->err));
        looks++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < 2);
    assert_killed(first);
    assert_killed(second);
    assert_true(looks > 0);
}

/* --- creation --- */

struct creator {
    const char *path;
    pthread_barrier_t *start;
    enum status status;
    struct err err;
};

static void *create(void *with)
{
    struct creator *creator = with;
    struct ledger *ledger;
    pthread_barrier_wait(creator->start);
    creator->status = ledger_open(&ledger, creator->path, &creator->err);
    ledger_close(ledger);
    return NULL;
}

/* All of them find it, or find it made: none is told at once that it is busy. Threads, as they meet
 * more often than processes; SQLite locks their connections against each other just the same. */
static void test_created_by_many(void **state)
{
    enum { CREATORS = 6, ROUNDS = 60 };
    struct ledger_place *place = *state;
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, CREATORS);
    for (int round = 0; round < ROUNDS; round++) {
        /* empty, as it is for a moment: closing the descriptor that made it would let go of the
         * other threads' locks, which processes do not have to fear */
        int fd = open(place->path, O_CREAT | O_EXCL | O_RDWR, 0600);
        assert_true(fd >= 0);
        close(fd);
        struct creator creators[CREATORS];
        pthread_t threads[CREATORS];
        for (int i = 0; i < CREATORS; i++) {
            creators[i] = (struct creator){.path = place->path, .start = &start};
            assert_int_equal(pthread_create(&threads[i], NULL, create, &creators[i]), 0);
        }
        for (int i = 0; i < CREATORS; i++) {
            pthread_join(threads[i], NULL);
        }
        for (int i = 0; i < CREATORS; i++) {
            place->err = creators[i].err;
            assert_ok(place, creators[i].status);
        }
        unlink(place->path);
    }
    pthread_barrier_destroy(&start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_ledger)
        TEST(test_kills),
        TEST(test_two_processes),
        TEST(test_created_by_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
