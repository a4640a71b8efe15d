/* Tests of report/child, with the programs that every system has. */
#include "report/child.h"

#include "base/cleanup.h"
#include "base/timestamp.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct ran {
    enum status status;
    struct err err;
    struct buf out;
    int64_t took_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* A script for sh; its inputs. */
static struct ran run(const char *script, const char *input, const char *data, size_t out_max)
{
    struct ran ran = {.out = {.max = out_max}};
    const char *argv[] = {"sh", "-c", script, NULL};
    const struct child child = {argv, slice_of(input), slice_of(data), NS_PER_SECOND};
    int64_t begin_ns = now_ns();
    ran.status = child_run(&child, &ran.out, &ran.err);
    ran.took_ns = now_ns() - begin_ns;
    return ran;
}

static void assert_out(const char *script, const char *input, const char *data,
                       const char *expected)
{
    struct ran ran = run(script, input, data, 1024);
    assert_int_equal(ran.status, OK);
    assert_string_equal(buf_text(&ran.out), expected);
    buf_finish(&ran.out);
}

static void assert_fails(const char *script, const char *expected)
{
    struct ran ran = run(script, "", "", 100000);
    assert_int_equal(ran.status, FAILED);
    assert_string_equal(ran.err.text, expected);
    assert_true(ran.took_ns < 5 * NS_PER_SECOND);
    buf_finish(&ran.out);
}

static void test_inputs(void **state)
{
    (void)state;
    assert_out("cat", "in", "data", "in");
    assert_out("cat " CHILD_DATA_PATH " - " CHILD_DATA_PATH, "-in-", "data", "data-in-data");
    assert_out("true", "", "", "");
    /* an input that nobody reads */
    assert_out("echo done", "in", "data", "done\n");
}

static void test_environment(void **state)
{
    (void)state;
    setenv("A_SECRET", "of ours", 1);
    assert_out("echo ${A_SECRET-none} $LC_ALL", "", "", "none C\n");
}

/* What it inherits: its two inputs, its two outputs, and no other file. */
static void test_files(void **state)
{
    (void)state;
    int fd = fcntl(STDERR_FILENO, F_DUPFD, 20); /* one that would be handed on */
    assert_true(fd >= 20);
    assert_out("for fd in 0 1 2 3; do test -e /proc/self/fd/$fd && echo $fd; done", "", "",
               "0\n1\n2\n3\n");
    CLEANUP(buf_finish) struct buf script = {.max = 100};
    buf_printf(&script, "test -e /proc/self/fd/%d || echo no more", fd);
    assert_out(buf_text(&script), "", "", "no more\n");
    close(fd);
}

static void test_failures(void **state)
{
    (void)state;
    assert_fails("echo of no use >&2; exit 3", "sh: exit code 3: of no use\\x0a");
    assert_fails("kill -TERM $$", "sh: ended by signal 15");
    assert_fails("exec cat /dev/zero", "sh: writes more than 100000 bytes");
    assert_fails("sleep 20", "sh: not done after 1 s");
    /* it closes its outputs and stays */
    assert_fails("exec >&- 2>&-; sleep 20", "sh: not done after 1 s");
}

/* A flood on standard error neither blocks it nor fills our memory. */
static void test_much_said(void **state)
{
    (void)state;
    struct ran ran = run("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1", "", "", 100);
    assert_int_equal(ran.status, FAILED);
    assert_int_equal(strspn(strrchr(ran.err.text, ' ') + 1, "x"), 300);
    buf_finish(&ran.out);
}

static void test_not_installed(void **state)
{
    (void)state;
    CLEANUP(buf_finish) struct buf out = {.max = 100};
    struct err err;
    const char *argv[] = {"no-such-program-anywhere", NULL};
    const struct child child = {argv, slice_of(""), slice_of(""), NS_PER_SECOND};
    assert_int_equal(child_run(&child, &out, &err), FAILED);
    assert_string_equal(err.text, "no-such-program-anywhere: not installed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inputs),    cmocka_unit_test(test_environment),
        cmocka_unit_test(test_files),     cmocka_unit_test(test_failures),
        cmocka_unit_test(test_much_said), cmocka_unit_test(test_not_installed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
