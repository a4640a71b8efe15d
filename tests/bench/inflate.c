/*
 * inflate: the limit that the benchmark measures against: inflates gzip files with ISA-L, checks
 * their CRC and throws the bytes away. usage: inflate FILE...
 * Not part of the program; run by tests/bench/bench.py.
 */
#include "base/cleanup.h"

#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024, WINDOW_BYTES = 256 * 1024 };

struct work {
    struct inflate_state state;
    uint8_t in[READ_BYTES], out[WINDOW_BYTES];
    uint64_t inflated;
};

static int inflate_chunk(struct work *work, size_t len)
{
    work->state.next_in = work->in;
    work->state.avail_in = (uint32_t)len;
    do {
        work->state.next_out = work->out;
        work->state.avail_out = WINDOW_BYTES;
        if (isal_inflate(&work->state) != ISAL_DECOMP_OK) {
            return -1;
        }
        work->inflated += WINDOW_BYTES - work->state.avail_out;
    } while (work->state.avail_out == 0);
    return 0;
}

static int inflate_file(struct work *work, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    isal_inflate_reset(&work->state);
    work->state.crc_flag = ISAL_GZIP;
    ssize_t len;
    int result = 0;
    while (result == 0 && (len = read(fd, work->in, READ_BYTES)) > 0) {
        result = inflate_chunk(work, (size_t)len);
    }
    close(fd);
    return work->state.block_state == ISAL_BLOCK_FINISH ? result : -1;
}

int main(int argc, char **argv)
{
    CLEANUP_FREE struct work *work = calloc(1, sizeof *work);
    if (!work) {
        return 1;
    }
    isal_inflate_init(&work->state);
    for (int i = 1; i < argc; i++) {
        if (inflate_file(work, argv[i]) != 0) {
            fprintf(stderr, "inflate: %s: not whole gzip\n", argv[i]);
            return 1;
        }
    }
    printf("%llu\n", (unsigned long long)work->inflated);
    return 0;
}
