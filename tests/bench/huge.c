/*
 * huge: writes one gzip object of audit records to stdout, each with a time and a request id of
 * its own, until it has as many raw bytes as asked for. For the memory test: an object far larger
 * than the memory that may be used for it. usage: huge RAW_BYTES >OBJECT
 * Not part of the program; run by tests/bench/memory.py.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { RECORD_MAX_BYTES = 2048 };

/* The number stands in several places, so that the object stays below the ratio of a bomb. */
static int record(char *to, size_t size, uint64_t number)
{
    uint64_t mixed = number * UINT64_C(0x9E3779B97F4A7C15);
    return snprintf(
        to, size,
        "{\"auditEntry\":{\"version\":\"1\",\"time\":\"2026-03-%02d"
        "T%02d:%02d:%02d.%09dZ\",\"api\":{\"name\":\"GetObject\",\"bucket\":\"orders\","
        "\"object\":\"data/%016" PRIx64
        "\",\"status\":\"OK\",\"statusCode\":200,\"timeToResponse\":\"%" PRIu64
        "ns\"},\"requestID\":\"%016" PRIX64
        "\",\"requestHeader\":{\"X-Real-Ip\":\"10.1.2.3:4567\",\"X-Amz-Content-Sha256\":"
        "\"%016" PRIx64 "%016" PRIx64 "\",\"User-Agent\":\"a client of some length, as they are "
        "(linux; amd64) with its libraries and their versions 1.2.3 4.5.6 7.8.9\"},"
        "\"responseHeader\":{\"Content-Security-Policy\":\"block-all-mixed-content\","
        "\"X-Amz-Request-Id\":\"%016" PRIX64
        "\"}},\"serviceAccountName\":\"svc\",\"serviceAccountCreatorId\":\"ada@example.com\"}\r\n",
        (int)(1 + number / 86400 % 28), (int)(number / 3600 % 24), (int)(number / 60 % 60),
        (int)(number % 60), (int)(number % 1000000000), number, mixed % 1000000000, mixed, ~mixed,
        mixed ^ number, mixed);
}

int main(int argc, char **argv)
{
    uint64_t wanted = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    gzFile out = gzdopen(STDOUT_FILENO, "wb1");
    if (!wanted || !out) {
        fprintf(stderr, "usage: huge RAW_BYTES >OBJECT\n");
        return 2;
    }
    gzbuffer(out, 256 * 1024);
    char line[RECORD_MAX_BYTES];
    for (uint64_t written = 0, number = 0; written < wanted; number++) {
        int len = record(line, sizeof line, number);
        if (gzwrite(out, line, (unsigned)len) != len) {
            return 1;
        }
        written += (uint64_t)len;
    }
    return gzclose(out) == Z_OK ? 0 : 1;
}
