/* nearest: see nearest.h. */
#include "config/nearest.h"

#include <stdio.h>

enum { NEAREST_NAME_BYTES = 64 };

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Both at most NEAREST_NAME_BYTES long. Three rows of the table are kept: a swap looks back two. */
static size_t distance(struct slice a, struct slice b)
{
    size_t rows[3][NEAREST_NAME_BYTES + 1];
    for (size_t j = 0; j <= b.len; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = lower(a.at[i - 1]), y = lower(b.at[j - 1]);
            row[j] = smaller(above[j - 1] + (x != y), smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b.at[j - 2]) && y == lower(a.at[i - 2])) {
                row[j] = smaller(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[a.len % 3][b.len];
}

/* How many slips a name of this length may have and still be recognised. */
static size_t tolerance(size_t len)
{
    return len <= 3 ? 1 : len <= 7 ? 2 : 3;
}

void nearest_offer(struct nearest *nearest, struct slice known)
{
    if (known.len == 0 || known.len > NEAREST_NAME_BYTES ||
        nearest->wanted.len > NEAREST_NAME_BYTES) {
        return;
    }
    size_t slips = distance(nearest->wanted, known);
    bool is_near = slips <= tolerance(known.len) && slips < known.len;
    if (is_near && (!nearest->best.len || slips < nearest->best_distance)) {
        nearest->best = known;
        nearest->best_distance = slips;
    }
}

const char *nearest_hint(const struct nearest *nearest, char hint[NEAREST_HINT_BYTES])
{
    hint[0] = '\0';
    if (nearest->best.len) {
        snprintf(hint, NEAREST_HINT_BYTES, " (did you mean %.*s?)", SLICE_ARG(nearest->best));
    }
    return hint;
}
