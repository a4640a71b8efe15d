/* Tests of run/lock: exclusion between descriptors and processes, and that death releases. */
#include "run/lock.h"

#include "base/memory.h"
#include "base/slice.h"
#include "base/timestamp.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[64], state[96], lock[128];
};

static int make_place(void **state)
{
    struct place *place = memory_new(sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/loggateway-lock-XXXXXX");
    if (!mkdtemp(place->folder)) {
        free(place);
        return -1;
    }
    snprintf(place->state, sizeof place->state, "%s/state.db", place->folder);
    snprintf(place->lock, sizeof place->lock, "%s.lyve.lock", place->state);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    char other[160];
    snprintf(other, sizeof other, "%s.other.lock", place->state);
    unlink(place->lock);
    unlink(other);
    int result = rmdir(place->folder);
    free(place);
    return result;
}

static void test_excludes(void **state)
{
    const struct place *place = *state;
    struct err err;
    struct lock *first, *second;
    assert_int_equal(lock_take(&first, place->state, "lyve", false, &err), OK);
    assert_int_equal(lock_take(&second, place->state, "lyve", false, &err), AGAIN);
    assert_null(second);
    char wanted[256];
    int len = snprintf(wanted, sizeof wanted, "lock %s: held by process %d since 2", place->lock,
                       (int)getpid());
    assert_int_equal(strncmp(err.text, wanted, (size_t)len), 0);
    assert_int_equal(lock_take(&second, place->state, "other", false, &err), OK);
    lock_release(second);
    lock_release(first);
    assert_int_equal(lock_take(&second, place->state, "lyve", false, &err), OK);
    lock_release(second);
    lock_release(NULL);
}

static void test_file(void **state)
{
    const struct place *place = *state;
    struct err err;
    struct lock *lock;
    assert_int_equal(lock_take(&lock, place->state, "lyve", false, &err), OK);
    struct stat about;
    assert_int_equal(stat(place->lock, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    char content[64] = "";
    int fd = open(place->lock, O_RDONLY);
    assert_true(read(fd, content, sizeof content - 1) > 0);
    close(fd);
    int pid;
    char since[32];
    int64_t ns;
    assert_int_equal(sscanf(content, "%d %31s", &pid, since), 2);
    assert_int_equal(pid, getpid());
    assert_true(timestamp_parse(slice_of(since), &ns));
    assert_in_range((uint64_t)(time(NULL) - ns / NS_PER_SECOND), 0, 60);
    /* closing another descriptor of the file must not let go, as it would with POSIX locks */
    struct lock *second;
    assert_int_equal(lock_take(&second, place->state, "lyve", false, &err), AGAIN);
    lock_release(lock);
}

/* What is in the file is not trusted: it goes to a terminal. */
static void test_odd_content(void **state)
{
    const struct place *place = *state;
    struct err err;
    struct lock *lock, *second;
    assert_int_equal(lock_take(&lock, place->state, "lyve", false, &err), OK);
    int fd = open(place->lock, O_WRONLY | O_TRUNC);
    static const char odd[] = "12 \033[2Jevil since\n";
    assert_int_equal(write(fd, odd, sizeof odd - 1), sizeof odd - 1);
    close(fd);
    assert_int_equal(lock_take(&second, place->state, "lyve", false, &err), AGAIN);
    assert_non_null(strstr(err.text, ": held by another process"));
    assert_null(strchr(err.text, '\033'));
    lock_release(lock);
}

static void test_bad_names(void **state)
{
    const struct place *place = *state;
    struct err err;
    struct lock *lock;
    assert_int_equal(lock_take(&lock, place->state, "a/../b", false, &err), BAD_CONFIG);
    assert_int_equal(lock_take(&lock, place->state, "", false, &err), BAD_CONFIG);
    assert_int_equal(lock_take(&lock, "/nowhere/at/all", "lyve", false, &err), FAILED);
    assert_non_null(strstr(err.text, "No such file"));
}

/* A child that holds the lock until it is killed. Returns when it holds it. */
static pid_t start_holder(const struct place *place)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct err err;
        struct lock *lock;
        bool held = lock_take(&lock, place->state, "lyve", false, &err) == OK;
        if (!held || write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        pause();
        _exit(0);
    }
    close(ready[1]);
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void test_death_releases(void **state)
{
    const struct place *place = *state;
    pid_t child = start_holder(place);
    struct err err;
    struct lock *lock;
    enum status while_held = lock_take(&lock, place->state, "lyve", false, &err);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(while_held, AGAIN);
    char pid[32];
    snprintf(pid, sizeof pid, "process %d since", (int)child);
    assert_non_null(strstr(err.text, pid));
    assert_int_equal(lock_take(&lock, place->state, "lyve", false, &err), OK);
    lock_release(lock);
}

static void *kill_later(void *child)
{
    nanosleep(&(const struct timespec){.tv_nsec = 300 * NS_PER_MS}, NULL);
    kill(*(pid_t *)child, SIGKILL);
    return NULL;
}

static void test_waits(void **state)
{
    const struct place *place = *state;
    pid_t child = start_holder(place);
    pthread_t killer;
    assert_int_equal(pthread_create(&killer, NULL, kill_later, &child), 0);
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    struct err err;
    struct lock *lock;
    enum status status = lock_take(&lock, place->state, "lyve", true, &err);
    clock_gettime(CLOCK_MONOTONIC, &after);
    pthread_join(killer, NULL);
    waitpid(child, NULL, 0);
    assert_int_equal(status, OK);
    int64_t waited_ns =
        (after.tv_sec - before.tv_sec) * NS_PER_SECOND + (after.tv_nsec - before.tv_nsec);
    assert_in_range((uint64_t)waited_ns, 250 * NS_PER_MS, 60 * NS_PER_SECOND);
    lock_release(lock);
}

static void test_wait_is_interrupted(void **state)
{
    const struct place *place = *state;
    struct err err;
    struct lock *lock, *second;
    assert_int_equal(lock_take(&lock, place->state, "lyve", false, &err), OK);
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    raise(SIGINT);
    assert_int_equal(lock_take(&second, place->state, "lyve", true, &err), FAILED);
    assert_non_null(strstr(err.text, "interrupted while waiting"));
    int signal_number;
    sigwait(&set, &signal_number); /* it stayed pending; here it must not end the tests */
    assert_int_equal(signal_number, SIGINT);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    lock_release(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_excludes, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_file, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_odd_content, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_bad_names, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_death_releases, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_waits, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_wait_is_interrupted, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
