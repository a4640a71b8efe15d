/*
 * false_clock: preloaded into the program by tests/lib/clock.py: the wall clock is off by as many
 * nanoseconds as the file named by FALSE_CLOCK holds now, as a number of 64 bits. The monotonic
 * clock is left alone, so a step forwards is what a program sees after a suspend. Not part of the
 * product.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift_ns; /* NULL = none */

__attribute__((constructor)) static void map_shift(void)
{
    const char *path = getenv("FALSE_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return;
    }
    void *at = mmap(NULL, sizeof *shift_ns, PROT_READ, MAP_SHARED, fd, 0);
    shift_ns = at == MAP_FAILED ? NULL : at;
    close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static const int64_t second_ns = 1000000000;
    if (syscall(SYS_clock_gettime, clock, now) != 0) {
        return -1;
    }
    if (clock == CLOCK_REALTIME && shift_ns) {
        int64_t ns = now->tv_sec * second_ns + now->tv_nsec + *shift_ns;
        now->tv_sec = ns / second_ns;
        now->tv_nsec = ns % second_ns;
    }
    return 0;
}
