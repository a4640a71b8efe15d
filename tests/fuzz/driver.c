/*
 * driver: the main of a fuzz target where libFuzzer is not: gives it each file of the folders (or
 * each file) that it is called with, once. The fuzz targets under a plain compiler, in the suite
 * `fuzz`.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_MAX_BYTES = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(EXIT_FAILURE);
}

static void replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1); /* exactly its size: reads beyond it are seen */
    if (!file || !data || fread(data, 1, size, file) != size) {
        die(path);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Replays a file or all of a folder, in the order of names. Returns how many there were. */
static int replay(const char *path)
{
    struct stat stats;
    if (stat(path, &stats) != 0) {
        die(path);
    }
    if (!S_ISDIR(stats.st_mode)) {
        if (stats.st_size > INPUT_MAX_BYTES) {
            errno = EFBIG;
            die(path);
        }
        replay_file(path, (size_t)stats.st_size);
        return 1;
    }
    struct dirent **entries;
    int n = scandir(path, &entries, is_visible, alphasort);
    if (n < 0) {
        die(path);
    }
    int replayed = 0;
    for (int i = 0; i < n; i++) {
        char inside[4096];
        snprintf(inside, sizeof inside, "%s/%s", path, entries[i]->d_name);
        replayed += replay(inside);
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv)
{
    int replayed = 0;
    for (int i = 1; i < argc; i++) {
        replayed += replay(argv[i]);
    }
    printf("%d inputs replayed\n", replayed);
    return replayed ? EXIT_SUCCESS : EXIT_FAILURE; /* an empty corpus proves nothing */
}
